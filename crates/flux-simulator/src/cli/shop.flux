Listen () => (int order);  source Listen => Sell;
Sell = Check -> Book;
Check (int order) => (int order);
Book (int order) => ();
atomic Book:{ledger};
