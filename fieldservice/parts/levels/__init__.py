"""Levels: how many pieces of every part belong on every shelf, and why. Pure: arrays in, arrays out; NumPy alone.

A caller puts what it knows of every part at every place (a *line of the shelf*) into one `Shelf`, asks `prices.learned`
for the price of money at which past months would have kept the wanted share of lines, and hands both to `stock.relevel`:

    shelf = Shelf(history, lead=..., price=..., floor=floors_of(criticalities))
    rate = calibration.learned(history, ask=0.95, lead=...).rate_of_money
    levels = relevel(shelf, rate)
    levels.explained(17)  # rate, lead time, chance of being enough, what one more piece would buy

Who does what: `demand` estimates (two-part empirical Bayes), `spread` is the negative binomial, `stock` sets levels by one
price of money, `calibration` learns that price, `kits` weighs lines by jobs they complete, `metric` shares stock between
a central store and stations, `simulation`, `rules` and `backtest` prove it, `tables` reads CSV files.

Units: pieces (or whatever a part is counted in), months (or whatever the columns of a history are), money in one currency.
An empty cell of a history is NaN: nobody knows, which is not zero. A history holds the demand nobody could plan; planned
maintenance is given as `known` and comes on top.
"""
