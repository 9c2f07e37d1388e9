#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// One end of a pair of sockets that carry short texts, each as a whole.
final class MessageSocket {
  private static let limit = 4096
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Both ends; no program that is started later gets them unasked.
  static func pair() throws(CheckpointError) -> (MessageSocket, MessageSocket) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw .system("cannot make", "a pair of sockets")
    }
    return (MessageSocket(ends[0]), MessageSocket(ends[1]))
  }

  /// Sends a text; whether the other end is still there.
  @discardableResult func send(_ text: String) -> Bool {
    let bytes = Array(text.utf8.prefix(Self.limit))
    while true {
      let count = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      if count == bytes.count { return true }
      if errno != EINTR { return false }
    }
  }

  /// The next text; nil if the other end has gone.
  func receive() -> String? {
    var bytes = [UInt8](repeating: 0, count: Self.limit)
    while true {
      let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
      if count > 0 { return String(decoding: bytes.prefix(count), as: UTF8.self) }
      guard count < 0, errno == EINTR else { return nil }
    }
  }

  /// Whether a text has come, or the other end has gone, after waiting at most so long.
  func isReady(milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, milliseconds) > 0
  }
}
#endif
