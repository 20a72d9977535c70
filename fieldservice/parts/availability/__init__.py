"""What can be promised of a part, where from and when; and reserving it.

`phased` (pure) says what one place can still promise at a time; `ranking` (pure) which of several sources comes first
and why; `reading` what lies where and comes when; `services` reserve, release and hand out; `asking` puts it together.
"""
