"""An assistant that answers from a company's documents, through Tidegate: an example of the cache."""
