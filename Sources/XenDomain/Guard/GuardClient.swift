#if Xen
internal import CheckpointCodec
package import CheckpointImage
internal import Glibc
package import Storage

/// Changes a domain's state by way of a guard process, which undoes what is outstanding as soon as this
/// process has ended, however it ended.
package final class GuardClient: DomainControl {
  /// What an earlier capture had left behind and was put right, one line each; mostly none.
  package private(set) var recovered: [String] = []
  private let domain: DomainIdentity
  private let process: pid_t
  private let cancellation: Cancellation
  private var socket: MessageSocket?

  /// Starts a guard. Refused while another process captures the domain.
  ///
  /// - Parameters:
  ///   - patience: seconds that the guest has for answering a request to suspend itself.
  ///   - cancellation: passed on to the guard, which then stops waiting for the guest.
  package init(_ domain: DomainIdentity, patience: Int = 60, cancellation: Cancellation)
    throws(CheckpointError)
  {
    self.domain = domain
    self.cancellation = cancellation
    let (socket, process) = try Self.start(domain, patience)
    self.process = process
    self.socket = socket
    do throws(CheckpointError) {
      recovered = try receive(socket).split(separator: "\n").map(String.init)
    } catch {
      reap()
      throw error
    }
  }

  /// The end of the guard's socket that is ours must be the only one that stays open here: else neither side
  /// would see the other end.
  private static func start(_ domain: DomainIdentity, _ patience: Int) throws(CheckpointError) -> (
    MessageSocket, pid_t
  ) {
    let (ours, theirs) = try MessageSocket.pair()
    let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { throw .system("cannot open", "/dev/null") }
    defer { Glibc.close(null) }
    defer { withExtendedLifetime(theirs) {} }
    let process = try OwnProgram.start(
      [OwnProgram.guardArgument, "\(domain.id)", "\(domain.uuid)", "\(patience)"],
      input: theirs.descriptor, output: null, isSheltered: true)
    return (ours, process)
  }

  package func startDirtyLog() throws(CheckpointError) -> Bool { try ask(.startDirtyLog) == "yes" }
  package func stopDirtyLog() throws(CheckpointError) { _ = try ask(.stopDirtyLog) }
  package func suspend() throws(CheckpointError) { _ = try ask(.suspend) }
  package func resume() throws(CheckpointError) { _ = try ask(.resume) }
  package func pause() throws(CheckpointError) { _ = try ask(.pause) }
  package func unpause() throws(CheckpointError) { _ = try ask(.unpause) }

  package func setTarget(_ target: UInt64) throws(CheckpointError) {
    _ = try ask(.setTarget(target))
  }
  package func keepReleased() throws(CheckpointError) { _ = try ask(.keepReleased) }
  package func raiseTarget() throws(CheckpointError) { _ = try ask(.raiseTarget) }

  package func close() throws(CheckpointError) {
    guard socket != nil else { return }
    defer { socket = nil }
    _ = try ask(.close)
    socket = nil
    reap()
  }

  /// Waits until the guard has ended.
  private func reap() {
    while waitpid(process, nil, 0) < 0, errno == EINTR {}
  }

  private func ask(_ request: GuardRequest) throws(CheckpointError) -> String {
    guard let socket else {
      throw CheckpointError(.refused, "is not guarded any more", file: "domain \(domain.id)")
    }
    socket.send(request.text)
    return try receive(socket)
  }

  /// The guard's answer. A cancellation is passed on: the guard then stops waiting for the guest.
  private func receive(_ socket: MessageSocket) throws(CheckpointError) -> String {
    var isStopSent = false
    while !socket.isReady(milliseconds: 200) {
      if cancellation.isRequested, !isStopSent {
        socket.send(GuardRequest.stop.text)
        isStopSent = true
      }
    }
    guard let text = socket.receive() else {
      // It was killed; what it had to do is done here.
      self.socket = nil
      reap()
      let undone = try Recovery.run(domain.uuid).map(\.description).joined(separator: "; ")
      throw CheckpointError(
        .io, "the guard process has ended unexpectedly" + (undone.isEmpty ? "" : "; \(undone)"),
        file: "domain \(domain.id)")
    }
    return try GuardAnswer(text).get()
  }
}
#endif
