//! Servers written in Flux (Burns, Grimaldi, Kostadinov, Berger, Corner: "Flux: A Language for Programming High-Performance Servers",
//! USENIX 2006): each is a program in the folder `programs`, and the functions of its nodes, which know nothing of flows.
