// The static-file server. A flow is a request; a connection that is kept goes back to the source.

context Worker;                         // each thread's, lent to the nodes that it runs
blocking ShakeHands, FindOnDisk, ReadFromDisk;   // an event loop has helpers run these
typedef insecure IsInsecure;            // a handshake has to be computed (TLS)
typedef unknown  IsUnknown;             // which file is meant is not known in memory
typedef absent   IsAbsent;              // its bytes are not in memory

Listen       () => (Box<Visit> visit);
ReadRequest  (Box<Visit> visit) => (Box<Visit> visit);
ShakeHands   (Box<Visit> visit) => (Box<Visit> visit);
FindOnDisk   (Box<Visit> visit) => (Box<Visit> visit);
ReadFromDisk (Box<Visit> visit) => (Box<Visit> visit);
SendResponse (Box<Visit> visit) => (Box<Visit> visit);
GoBack       (Box<Visit> visit) => ();

source Listen => Page;
Page = ReadRequest -> Secure -> FindFile -> ReadFile -> SendResponse -> GoBack;
Secure:[insecure] = ShakeHands;
Secure:[_] = ;
FindFile:[unknown] = FindOnDisk;
FindFile:[_] = ;
ReadFile:[absent] = ReadFromDisk;
ReadFile:[_] = ;
handle error ReadRequest => GoBack;     // there is no request yet
