"""Who the customer is: calls taken in, identities joined, traits kept, and conditions as SQL over them."""
