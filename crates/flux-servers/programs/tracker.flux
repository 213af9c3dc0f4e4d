// A BitTorrent tracker (BEP 3): who shares which torrent. A flow is an announcement.

context Tracker;                                // each thread's, lent to the nodes that it runs
blocking ReadAnnouncement, Reply, Refuse;       // these wait for a peer: an event loop has helpers run them

Accept           () => (Caller caller);
ReadAnnouncement (Caller caller) => (Caller caller, Announcement announcement);
Register         (Caller caller, Announcement announcement) => (Caller caller, Vec<u8> answer);
Reply            (Caller caller, Vec<u8> answer) => ();
Refuse           (Caller caller) => ();
ExpiryTimer      () => (Instant now);
Expire           (Instant now) => ();

source Accept => Track;
Track = ReadAnnouncement -> Register -> Reply;
handle error ReadAnnouncement => Refuse;
source ExpiryTimer => Expire;

atomic Register:{register};
atomic Expire:{register};
