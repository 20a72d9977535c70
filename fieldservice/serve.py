"""`python -m fieldservice.serve`, which is `make run`; what it does stands in `starting.py`.

Nothing is imported up here: the computing processes import this file again when they start.
"""

if __name__ == "__main__":
    from fieldservice.starting import main

    main()
