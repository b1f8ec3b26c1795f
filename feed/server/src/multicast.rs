//! Multicast sockets made right, on one interface that is named by its address.

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

/// Asked for as a receiver's buffer, and as a sender's: enough for a receiver that stalls for tens of milliseconds. The
/// system silently gives less where its own bound is lower (`net.core.rmem_max`).
pub const BUFFER_BYTES: usize = 4 << 20;

/// A socket whose `send` reaches the group by `interface`, passing `ttl` networks at most; with 0 it stays on this host.
/// Receivers on this host hear it. It never blocks.
///
/// # Errors
/// What the system says: most often that `interface` is no address of this host.
pub fn sender(group: SocketAddrV4, interface: Ipv4Addr, ttl: u32) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&interface)?;
    socket.set_multicast_ttl_v4(ttl)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    // Connected: no route is looked up for each datagram.
    socket.connect(&SocketAddr::V4(group).into())?;
    Ok(socket.into())
}

/// A socket that receives what is sent to the group by `interface`, and nothing else: it is bound to the group's address.
/// Many on one host may receive the same. With port 0 the system chooses one. It blocks until told otherwise.
///
/// # Errors
/// What the system says: the port is taken by a socket that does not share it, `interface` is no address of this host,
/// or the group is none.
pub fn receiver(group: SocketAddrV4, interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.bind(&SocketAddr::V4(group).into())?;
    socket.join_multicast_v4(group.ip(), &interface)?;
    Ok(socket.into())
}

/// The bytes the system really gives a receiver. Linux states twice what may be used and is halved here.
///
/// # Errors
/// What the system says.
pub fn receive_buffer_bytes(socket: &UdpSocket) -> io::Result<usize> {
    let stated = SockRef::from(socket).recv_buffer_size()?;
    Ok(if cfg!(target_os = "linux") { stated / 2 } else { stated })
}
