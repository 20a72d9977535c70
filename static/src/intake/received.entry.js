// The report has arrived: its draft is no longer needed.
for (const key of Object.keys(localStorage)) if (key.startsWith("draft:report:")) localStorage.removeItem(key);
