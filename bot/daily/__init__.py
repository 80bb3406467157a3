"""The daily report as words: what stands in it, as text, as a letter in HTML, and who brings it."""
