// A BitTorrent peer (BEP 3). A flow is a message of another peer, and what is said to that; or a round of a timer.

context Peer;                         // each thread's, lent to the nodes that it runs
blocking CheckPiece, StorePiece, ReadBlock, Announce;   // a hash, a disk, a tracker: an event loop has helpers run these

typedef arrival  IsArrival;           // a connection is there
typedef greeting IsGreeting;          // the other's handshake
typedef block    IsBlock;             // part of a piece
typedef whole    IsWhole;             // and the piece is whole by it
typedef asked    IsAsked;             // the other waits for a block

Listen      () => (Box<Visit> visit);
ReadMessage (Box<Visit> visit) => (Box<Visit> visit, Received received);
Join        (Box<Visit> visit, Received received) => (Box<Visit> visit);
Greet       (Box<Visit> visit, Received received) => (Box<Visit> visit);
TakeBlock   (Box<Visit> visit, Received received) => (Box<Visit> visit);
TakeNews    (Box<Visit> visit, Received received) => (Box<Visit> visit);
Dismiss     (Box<Visit> visit, Received received) => ();
CheckPiece  (Box<Visit> visit) => (Box<Visit> visit);
StorePiece  (Box<Visit> visit) => (Box<Visit> visit);
KeepPiece   (Box<Visit> visit) => (Box<Visit> visit);
TakeMail    (Box<Visit> visit) => (Box<Visit> visit);
ReadBlock   (Box<Visit> visit) => (Box<Visit> visit);
Send        (Box<Visit> visit) => (Box<Visit> visit);
GoBack      (Box<Visit> visit) => ();
LetGo       (Box<Visit> visit) => ();

source Listen => Message;
Message = ReadMessage -> Handle -> Answer;
Handle:[_, arrival]  = Join;
Handle:[_, greeting] = Greet;
Handle:[_, block]    = TakeBlock -> Finish;
Handle:[_, _]        = TakeNews;
Finish:[whole] = CheckPiece -> StorePiece -> KeepPiece;
Finish:[_] = ;
Answer = TakeMail -> Load -> Send -> GoBack;
Load:[asked] = ReadBlock;
Load:[_] = ;

handle error ReadMessage => Answer;   // none is whole yet
handle error Join => Dismiss;
handle error Greet => Dismiss;
handle error TakeBlock => Dismiss;
handle error TakeNews => Dismiss;
handle error CheckPiece => LetGo;     // whoever sent it; the piece is asked of another
handle error TakeMail => LetGo;

ChokeTimer      () => (Instant now);
OptimisticTimer () => (Instant now);
KeepAliveTimer  () => (Instant now);
AnnounceTimer   () => (Instant now);
ChokingRound    (Instant now) => ();
OptimisticRound (Instant now) => ();
KeepAlive       (Instant now) => ();
CountBytes      (Instant now) => (Announcement announcement);
Announce        (Announcement announcement) => (Vec<SocketAddr> peers);
Dial            (Vec<SocketAddr> peers) => ();
TryAgain        (Announcement announcement) => ();

source ChokeTimer => ChokingRound;
source OptimisticTimer => OptimisticRound;
source KeepAliveTimer => KeepAlive;
source AnnounceTimer => FindPeers;
FindPeers = CountBytes -> Announce -> Dial;
handle error Announce => TryAgain;

atomic Join:{swarm};
atomic Greet:{swarm};
atomic TakeBlock:{swarm};
atomic TakeNews:{swarm};
atomic Dismiss:{swarm};
atomic KeepPiece:{swarm};
atomic TakeMail:{swarm};
atomic LetGo:{swarm};
atomic ChokingRound:{swarm};
atomic OptimisticRound:{swarm};
atomic KeepAlive:{swarm};
atomic CountBytes:{swarm?};
atomic Dial:{swarm?};
