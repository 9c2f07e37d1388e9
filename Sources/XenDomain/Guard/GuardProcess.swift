#if Xen
internal import CheckpointImage
internal import Glibc

/// The process that changes a domain's state on behalf of another, and undoes it when that one has ended.
final class GuardProcess {
  /// How long a guest that took a request to suspend itself is waited for, and failed undoing tried again.
  private static let persistence = 600
  private let socket: MessageSocket
  private let actions: DomainActions
  private let journal: Journal
  private let monitor: MonitorCare

  /// Serves the process at the other end of standard input; the exit status.
  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 3, let id = UInt32(arguments[0]), let uuid = DomainUUID(arguments[1]),
      let patience = Int(arguments[2]), (1...86400).contains(patience)
    else { return 64 }
    // No folder is held busy, and of all processes this one is killed last when memory is short.
    _ = unsafe chdir("/")
    if let file = unsafe fopen("/proc/self/oom_score_adj", "w") {
      unsafe fputs("-1000", file)
      unsafe fclose(file)
    }
    _ = fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC)
    let socket = MessageSocket(STDIN_FILENO)
    var process: GuardProcess?
    let answer = GuardAnswer { () throws(CheckpointError) in
      let domain = DomainIdentity(id: id, uuid: uuid)
      guard let journal = try Journal(uuid) else {
        throw CheckpointError(
          .refused, "is being captured already by another process", file: "domain \(id)")
      }
      let recovered = try Recovery.putRight(journal)
      try journal.begin(id)
      process = GuardProcess(
        socket, try DomainActions(domain, patience: patience, journal: journal), journal)
      return recovered?.description ?? ""
    }
    socket.send(answer.text)
    process?.serve()
    return 0
  }

  private init(_ socket: MessageSocket, _ actions: DomainActions, _ journal: Journal) {
    self.socket = socket
    self.actions = actions
    self.journal = journal
    monitor = MonitorCare(actions)
    actions.isAbandoned = { socket.isReady(milliseconds: 0) }
  }

  private func serve() {
    while let request = next() {
      if request == .stop { continue }
      let answer = GuardAnswer { () throws(CheckpointError) in try self.answer(request) }
      if request == .close { finish(answer); return }
      socket.send(answer.text)
    }
    // The other process has ended.
    finish(nil)
  }

  /// The next request; nil if there will be none. Meanwhile a guest that suspended itself too late is
  /// resumed, its monitor is replaced, and the claim on its memory ends when it has taken it back.
  private func next() -> GuardRequest? {
    while true {
      let isWatchful = actions.mayStillSuspend || monitor.isNeeded || actions.isTakingMemory
      if socket.isReady(milliseconds: isWatchful ? 50 : -1) {
        guard let text = socket.receive() else { return nil }
        return GuardRequest(text)
      }
      try? actions.resumeLateComer()
      try? monitor.tend()
      try? actions.noteMemoryTaken()
    }
  }

  private func answer(_ request: GuardRequest) throws(CheckpointError) -> String {
    switch request {
    case .startDirtyLog: return try actions.startDirtyLog() ? "yes" : "no"
    case .stopDirtyLog: try actions.stopDirtyLog()
    case .suspend:
      try monitor.prepare()
      try actions.suspend()
    case .resume:
      try actions.resume()
      monitor.guestRuns()
    case .pause: try actions.pause()
    case .unpause: try actions.unpause()
    case .setTarget(let target): try actions.setTarget(target)
    case .keepReleased: try actions.keepReleased()
    case .raiseTarget: try actions.raiseTarget()
    case .stop: break
    case .close: try actions.undo(waiting: 5, isFinal: false)
    }
    return ""
  }

  /// Undoes what is left, for as long as it takes, and gives the answer to the last request: at once if that
  /// is an error.
  private func finish(_ answer: GuardAnswer?) {
    if let answer, answer.isError { socket.send(answer.text) }
    let end = ContinuousClock.now + .seconds(Self.persistence)
    repeat {
      do throws(CheckpointError) {
        try actions.undo(waiting: Self.persistence, isFinal: true)
        try monitor.finish()
      } catch { sleep(1) }
    } while !actions.outstanding.isEmpty && ContinuousClock.now < end
    // What could not be undone stays on record, for the next capture or --recover.
    if actions.outstanding.isEmpty { journal.remove() }
    if let answer, !answer.isError { socket.send(answer.text) }
  }
}
#endif
