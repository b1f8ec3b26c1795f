//! A socket on its way from one process to another of this machine: SCM_RIGHTS over a Unix datagram socket.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use std::io::{IoSlice, IoSliceMut, Result};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixDatagram;

/// What goes with it: a datagram of nothing carries nothing.
const WITH: [u8; 1] = [1];

/// Hands a socket over, without waiting. Both processes have it until the one that gave it closes it.
///
/// # Errors
/// Nobody is there, or there is no room now.
pub(crate) fn send(to: &UnixDatagram, socket: BorrowedFd<'_>) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let sockets = [socket];
    control.push(SendAncillaryMessage::ScmRights(&sockets));
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(to, &[IoSlice::new(&WITH)], &mut control, flags)?;
    Ok(())
}

/// Takes the next one; `None` for a datagram without one.
///
/// # Errors
/// Nothing came within the socket's time limit, or it is broken.
pub(crate) fn receive(at: &UnixDatagram) -> Result<Option<TcpStream>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0; WITH.len()];
    recvmsg(
        at,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut came = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
        _ => None,
    });
    Ok(came.next().map(TcpStream::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;

    #[test]
    fn a_socket_goes_over_with_what_waits_in_it() {
        let (give, take) = UnixDatagram::pair().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        client.write_all(b"hello").unwrap();
        send(&give, accepted.as_fd()).unwrap();
        drop(accepted);
        let mut served = receive(&take).unwrap().unwrap();
        let mut bytes = [0; 5];
        served.read_exact(&mut bytes).unwrap();
        served.write_all(b"there").unwrap();
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"there");
        drop(take);
        assert!(send(&give, client.as_fd()).is_err(), "nobody is there");
    }
}
