"""The paper's claims: what each says, how it is measured from the tables, and the verdict."""
