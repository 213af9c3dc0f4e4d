// Pictures as JPEG, at the size and quality that are asked for. A flow is a request; a connection that is kept goes back to the source.

context Worker;                   // each thread's, lent to the nodes that it runs
blocking ReadPicture, Compress;   // these wait for a disk, or keep a thread busy for milliseconds: an event loop has helpers run them
typedef kept IsKept;              // the cache has it

Listen       () => (Connection connection);
ReadRequest  (Connection connection) => (Connection connection, Order order);
CheckCache   (Connection connection, Order order) => (Connection connection, Order order, Option<Jpeg> jpeg);
ReadPicture  (Connection connection, Order order, Option<Jpeg> jpeg) => (Connection connection, Order order, Picture picture);
Compress     (Connection connection, Order order, Picture picture) => (Connection connection, Order order, Option<Jpeg> jpeg);
StoreInCache (Connection connection, Order order, Option<Jpeg> jpeg) => (Connection connection, Order order, Option<Jpeg> jpeg);
Write        (Connection connection, Order order, Option<Jpeg> jpeg) => (Connection connection);
FourOhFour   (Connection connection, Order order, Option<Jpeg> jpeg) => ();
Complete     (Connection connection) => ();

source Listen => Image;
Image = ReadRequest -> CheckCache -> Handler -> Write -> Complete;
Handler:[_, _, kept] = ;
Handler:[_, _, _] = ReadPicture -> Compress -> StoreInCache;
handle error ReadRequest => Complete;     // there is no whole request yet, or no good one
handle error ReadPicture => FourOhFour;
atomic CheckCache:{cache};
atomic StoreInCache:{cache};
