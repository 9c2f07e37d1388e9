#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc
internal import Storage

/// A command that runs while the guest is suspended, such as one that makes a snapshot of its disks. The guest
/// goes on whatever the command does.
package struct PauseHook: Sendable {
  /// For /bin/sh.
  package var command: String
  /// After this time the command, and all it started, is killed.
  package var patience: Duration

  /// How it ended.
  struct Outcome: Sendable {
    /// What it printed, at most 4096 bytes.
    var output: String
    /// Why it is to be taken as failed; nil if it ended with status 0.
    var problem: String?
  }

  private static let mostOutput = 4096

  /// A command and the time it has.
  package init(command: String, patience: Duration) {
    self.command = command
    self.patience = patience
  }

  /// Runs the command with VMCKPT_DOMAIN_ID, VMCKPT_DOMAIN_NAME and VMCKPT_DOMAIN_UUID in its environment; it is
  /// killed when the capture is cancelled.
  func run(for domain: DomainReference, until cancellation: Cancellation) -> Outcome {
    var ends: [Int32] = [0, 0]
    guard unsafe vmckpt_pipe(&ends) == 0 else { return failed("no pipe") }
    defer { close(ends[0]) }
    let nothing = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(nothing) }
    let process: ChildProcess
    do throws(CheckpointError) {
      process = try ChildProcess(
        ["/bin/sh", "-c", command], files: [(nothing, STDIN_FILENO), (ends[1], STDOUT_FILENO)],
        variables: [
          "VMCKPT_DOMAIN_ID=\(domain.id)", "VMCKPT_DOMAIN_NAME=\(domain.name)",
          "VMCKPT_DOMAIN_UUID=\(domain.uuid)",
        ])
    } catch {
      close(ends[1])
      return failed(error.reason)
    }
    close(ends[1])
    let end = ContinuousClock.now + patience
    var output: [UInt8] = []
    // The pipe may outlive the command, in a process it left behind; the command is what counts.
    var status = process.poll()
    while status == nil {
      let isStopped = cancellation.isRequested
      if isStopped || ContinuousClock.now >= end {
        kill(-process.id, SIGKILL)
        // A process that waits for a broken disk does not even end then: the guest must not wait for it.
        for _ in 0..<100 where process.poll() == nil { usleep(useconds_t(1000)) }
        let reason = isStopped ? "the capture was stopped" : "it took longer than \(patience)"
        return Outcome(output: text(output), problem: "was killed: \(reason)")
      }
      read(ends[0], into: &output, waiting: 5)
      status = process.poll()
    }
    while read(ends[0], into: &output, waiting: 0), output.count < Self.mostOutput {}
    return Outcome(output: text(output), problem: status.flatMap(Self.problem))
  }

  private static func problem(_ status: Int32) -> String? {
    let signal = status & 0x7f
    let code = status >> 8 & 0xff
    if signal != 0 { return "was ended by signal \(signal)" }
    return code == 0 ? nil : "ended with status \(code)"
  }

  private func failed(_ reason: String) -> Outcome { Outcome(output: "", problem: reason) }

  private func text(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    let end = text.lastIndex { !$0.isWhitespace }
    return end.map { String(text[...$0]) } ?? ""
  }

  /// Reads once, if there is something after waiting so long; false if not. Of too much output the rest is dropped.
  @discardableResult private func read(
    _ descriptor: Int32, into output: inout [UInt8], waiting milliseconds: Int32
  ) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&request, 1, milliseconds) > 0 else { return false }
    var chunk = [UInt8](repeating: 0, count: Self.mostOutput)
    let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
    guard count > 0 else {
      // The output was closed: only the end of the command is waited for.
      usleep(useconds_t(milliseconds) * 1000)
      return false
    }
    output += chunk[..<min(count, Self.mostOutput - output.count)]
    return true
  }
}
#endif
