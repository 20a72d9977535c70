"""The store's desk: parts of visits picked and handed out in time, where missing ones come from, vans topped up.

`picking` reads the list and decides nothing; `handing` ticks lines and hands out; `sourcing` reserves for an order,
here or by a transfer; `topping` prepares tomorrow; `desk` is what waits besides; `telling` puts sources into words.
"""
