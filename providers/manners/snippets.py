"""The programs that demo-coder knows, by task and language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """One task: the words that ask for it, what to know about it, and its code by language."""

    title: str
    words: tuple[str, ...]
    remark: str
    code: Mapping[str, str]


SNIPPETS: tuple[Snippet, ...] = (
    Snippet(
        "FizzBuzz",
        ("fizz", "buzz"),
        "The two checks add up, so fifteen needs no case of its own.",
        {
            "python": """\
for n in range(1, 101):
    word = "Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0)
    print(word or n)""",
            "javascript": """\
for (let n = 1; n <= 100; n++) {
  const word = (n % 3 ? "" : "Fizz") + (n % 5 ? "" : "Buzz");
  console.log(word || n);
}""",
            "bash": """\
for n in $(seq 1 100); do
  word=""
  (( n % 3 == 0 )) && word+="Fizz"
  (( n % 5 == 0 )) && word+="Buzz"
  echo "${word:-$n}"
done""",
        },
    ),
    Snippet(
        "Fibonacci numbers",
        ("fibonacci", "fib"),
        "It runs in linear time and holds two numbers at once.",
        {
            "python": """\
def fibonacci(count: int) -> list[int]:
    numbers, a, b = [], 0, 1
    for _ in range(count):
        numbers.append(a)
        a, b = b, a + b
    return numbers""",
            "javascript": """\
function fibonacci(count) {
  const numbers = [];
  let [a, b] = [0, 1];
  for (let i = 0; i < count; i++) {
    numbers.push(a);
    [a, b] = [b, a + b];
  }
  return numbers;
}""",
        },
    ),
    Snippet(
        "Prime numbers",
        ("prime", "sieve"),
        "The sieve of Eratosthenes: each number crosses out its multiples, from its square on.",
        {
            "python": """\
def primes(limit: int) -> list[int]:
    is_prime = [False, False] + [True] * (limit - 1)
    for n in range(2, int(limit**0.5) + 1):
        if is_prime[n]:
            is_prime[n * n :: n] = [False] * len(is_prime[n * n :: n])
    return [n for n, prime in enumerate(is_prime) if prime]""",
            "javascript": """\
function primes(limit) {
  const isPrime = Array(limit + 1).fill(true, 2);
  for (let n = 2; n * n <= limit; n++) {
    if (!isPrime[n]) continue;
    for (let m = n * n; m <= limit; m += n) isPrime[m] = false;
  }
  return isPrime.flatMap((prime, n) => (prime ? [n] : []));
}""",
        },
    ),
    Snippet(
        "Reversing a text",
        ("reverse", "palindrome", "backwards"),
        "A palindrome is a text that equals its reverse.",
        {
            "python": """\
def reverse(text: str) -> str:
    return text[::-1]


def is_palindrome(text: str) -> bool:
    letters = [c.casefold() for c in text if c.isalnum()]
    return letters == letters[::-1]""",
            "javascript": """\
const reverse = (text) => [...text].reverse().join("");""",
            "bash": """\
echo "a text" | rev""",
        },
    ),
    Snippet(
        "Counting words",
        ("count", "words", "frequency", "histogram"),
        "The ten most frequent words come first.",
        {
            "python": """\
import re
from collections import Counter


def word_counts(text: str) -> list[tuple[str, int]]:
    return Counter(re.findall(r"\\w+", text.casefold())).most_common(10)""",
            "javascript": """\
function wordCounts(text) {
  const counts = new Map();
  for (const [word] of text.toLowerCase().matchAll(/\\p{L}+/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10);
}""",
            "bash": """\
tr -cs '[:alpha:]' '\\n' < text.txt | sort | uniq -c | sort -rn | head""",
        },
    ),
    Snippet(
        "Reading a CSV file",
        ("csv", "spreadsheet", "table", "file"),
        "`newline=` leaves line ends inside quoted fields alone.",
        {
            "python": """\
import csv
from pathlib import Path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))""",
            "bash": """\
cut -d, -f1,3 table.csv | tail -n +2""",
        },
    ),
    Snippet(
        "Fetching JSON over HTTP",
        ("http", "fetch", "json", "api", "request", "download"),
        "A timeout and a check of the status are half of it.",
        {
            "python": """\
import json
from urllib.request import urlopen


def fetch(url: str) -> object:
    with urlopen(url, timeout=10) as response:
        return json.load(response)""",
            "javascript": """\
async function fetchJson(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}""",
            "bash": """\
curl --fail --silent --max-time 10 "$URL" | jq .""",
        },
    ),
)
