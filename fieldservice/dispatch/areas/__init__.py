"""Areas that dispatchers draw where driving is slow for a while: snow, a flood, a closed road."""
