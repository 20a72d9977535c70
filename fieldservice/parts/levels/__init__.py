"""Levels: how many pieces of every part belong on every shelf, and why. Pure: arrays in, arrays out; NumPy alone.

A caller puts what it knows of every part at every place (each pair is a *line* of the shelf) into one `Shelf`, asks for
the price of money at which past months would have kept the wanted share of lines, and levels the shelf by it:

    shelf = Shelf(history, lead, price, floor=floors_of(criticalities), known=planned, least=typed_min, most=typed_max)
    price_of_money = calibration.learned(shelf, ask=0.95).rate_of_money
    levels = stock.relevel(shelf, price_of_money)
    levels.explained(17)  # rate, lead time, chance of being enough, what one more piece would buy

The price is one for the whole shelf, learned on a sample of a large one. It changes slowly: keep it between runs.

Who does what: `demand` estimates (two-part empirical Bayes), `spread` is the negative binomial, `worth` says what one
more piece buys, `stock` sets levels by one price of money, `calibration` learns that price, `kits` weighs lines by the
jobs they complete, `metric` shares stock between a central store and stations; `simulation`, `rules` and `backtest`
prove it.

Units: pieces (or whatever a part is counted in), months, money in one currency. An empty cell of a history is NaN:
nobody knows, which is not zero. A new part's months before it was sold are NaN too, so its class speaks for it. A
history holds demand that nobody could plan; planned maintenance is given as `known` and comes on top.
"""
