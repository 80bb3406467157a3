"""What must hold about money, told as it happens: clicks, payments, accidents, and what members have then."""
