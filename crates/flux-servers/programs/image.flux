// Pictures as JPEG, at the size and quality that are asked for. A flow is a request; a connection that is kept goes back to the source.

context Worker;                   // each thread's, lent to the nodes that it runs
blocking ReadPicture, Compress;   // these wait for a disk, or keep a thread busy for milliseconds: an event loop has helpers run them
typedef kept IsKept;              // the cache has it

Listen       () => (Box<Connection> connection);
ReadRequest  (Box<Connection> connection) => (Box<Connection> connection, Order order);
CheckCache   (Box<Connection> connection, Order order) => (Box<Connection> connection, Order order, Option<Jpeg> jpeg);
ReadPicture  (Box<Connection> connection, Order order, Option<Jpeg> jpeg) => (Box<Connection> connection, Order order, Picture picture);
Compress     (Box<Connection> connection, Order order, Picture picture) => (Box<Connection> connection, Order order, Option<Jpeg> jpeg);
StoreInCache (Box<Connection> connection, Order order, Option<Jpeg> jpeg) => (Box<Connection> connection, Order order, Option<Jpeg> jpeg);
Write        (Box<Connection> connection, Order order, Option<Jpeg> jpeg) => (Box<Connection> connection);
FourOhFour   (Box<Connection> connection, Order order, Option<Jpeg> jpeg) => ();
Complete     (Box<Connection> connection) => ();

source Listen => Image;
Image = ReadRequest -> CheckCache -> Handler -> Write -> Complete;
Handler:[_, _, kept] = ;
Handler:[_, _, _] = ReadPicture -> Compress -> StoreInCache;
handle error ReadRequest => Complete;     // there is no whole request yet, or no good one
handle error ReadPicture => FourOhFour;
atomic CheckCache:{cache};
atomic StoreInCache:{cache};
