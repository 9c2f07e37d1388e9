#if Xen
internal import CXen
package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
internal import Glibc
internal import Operations
internal import Storage
/// Makes a running domain of a chain's tip: the stream of an `xl save` file goes to `xl restore` through a pipe. xl
/// builds the domain and leaves its monitor behind, which acts when the guest powers off, reboots or crashes.
package struct DomainRestore {
  /// What the user wants of the domain.
  package struct Options: Sendable {
    /// Its name; nil for the one it had.
    package var name: String?
    /// It does not run yet.
    package var isPaused: Bool
    /// It is a second domain that leaves the first alone.
    package var isClone: Bool
    /// The user says that the disks are as they were at the checkpoint.
    package var disksAreRestored: Bool

    /// Makes options.
    package init(
      name: String? = nil, isPaused: Bool = false, isClone: Bool = false,
      disksAreRestored: Bool = false
    ) {
      self.name = name
      self.isPaused = isPaused
      self.isClone = isClone
      self.disksAreRestored = disksAreRestored
    }
  }

  /// The domain that was made.
  package struct Domain: Sendable {
    /// Its number.
    package var id: UInt32
    /// Its UUID.
    package var uuid: DomainUUID
    /// Its name.
    package var name: String
  }

  private let chain: Chain
  private let hypervisor: Hypervisor
  private let toolstack: Toolstack
  private let configuration: GivenConfiguration
  private let uuid: DomainUUID
  private let name: String
  private let isPaused: Bool

  /// Finds out whether it can be done; nothing is refused later.
  ///
  /// - Parameter given: the domain's configuration in place of the image's.
  package init(_ chain: Chain, configuration given: GivenConfiguration?, _ options: Options)
    throws(CheckpointError)
  {
    try Restorability(of: chain).checkRestore()
    let guest = try chain.guestType
    let source = if let given { given } else { try Self.kept(by: chain) }
    try source.check(guest)
    var configuration = try DomainConfiguration(source.libxlJSON(), file: source.file)
    let name = try DomainName.check(
      options.name ?? configuration.name, was: configuration.name, isClone: options.isClone,
      file: source.file)
    configuration.name = name
    if options.isClone {
      configuration.becomeClone()
    } else if !options.disksAreRestored {
      try Self.check(configuration.writableDisks, chain)
    }
    uuid = configuration.uuid ?? .random
    self.name = name
    self.configuration = try GivenConfiguration(configuration.encoded, file: source.file)
    self.chain = chain
    isPaused = options.isPaused
    hypervisor = try Hypervisor()
    toolstack = try Toolstack()
    try checkAlone()
  }

  private static func kept(by chain: Chain) throws(CheckpointError) -> GivenConfiguration {
    guard let bytes = try chain.keptConfiguration else {
      throw CheckpointError(
        .refused, "has no domain configuration that xl reads", file: chain.tip.name,
        hint: .giveConfiguration)
    }
    return try GivenConfiguration(bytes, file: chain.tip.name)
  }

  /// A guest remembers what it has read of its disks: if they moved on without it, it destroys them.
  private static func check(_ disks: [String], _ chain: Chain) throws(CheckpointError) {
    guard !disks.isEmpty else { return }
    let snapshot = try chain.diskSnapshot.flatMap { $0.isEmpty ? nil : $0 }
    throw CheckpointError(
      .refused,
      "the guest can write to its \(disks.count == 1 ? "disk" : "disks") \(disks.joined(separator: ", "))",
      file: chain.tip.name, hint: .restoreDisks(snapshot: snapshot))
  }

  /// Neither the guest itself nor one of its name may be there.
  private func checkAlone() throws(CheckpointError) {
    if let other = try hypervisor.domain(of: uuid) {
      throw CheckpointError(
        .refused, "is there already, with the UUID \(uuid)", file: "domain \(other)",
        hint: .destroyOrClone(domain: "\(other)"))
    }
    if let other = toolstack.domain(named: name) {
      throw CheckpointError(
        .refused, "has the name \(name) already", file: "domain \(other)", hint: .giveName)
    }
  }

  /// Makes the domain. If this fails, there is none.
  package func run(on pool: WorkerPool, progress: (Double?) -> Void = { _ in })
    throws(CheckpointError) -> Domain
  {
    // Two at once would pass each other's checks, and one would take the other's domain for its own remains.
    guard let lock = try LockFile("\(uuid).restore") else {
      throw CheckpointError(.refused, "is just being restored by another process", file: name)
    }
    defer { lock.remove() }
    try checkAlone()
    var ends: [Int32] = [-1, -1]
    guard unsafe vmckpt_pipe(&ends) == 0 else { throw .system("cannot make a pipe", "xl") }
    let xl: XLRun
    do throws(CheckpointError) {
      defer { close(ends[0]) }
      xl = try XLRun(
        ["restore"] + (isPaused ? ["-p"] : []) + ["/proc/self/fd/0"], input: ends[0])
    } catch {
      close(ends[1])
      throw error
    }
    let obstacle = feed(ends[1], on: pool, progress)
    close(ends[1])
    let failure = xl.failure()
    // With the whole stream xl makes the domain, whatever reached us meanwhile.
    if failure == nil, obstacle == nil || obstacle?.kind == .interrupted,
      let id = try hypervisor.domain(of: uuid)
    {
      return Domain(id: id, uuid: uuid, name: name)
    }
    try removeRemains()
    // If xl has gone, that we could not write to it says nothing.
    if let obstacle, obstacle.kind != .io || obstacle.file != "xl" { throw obstacle }
    throw failure ?? CheckpointError(.io, "the domain has gone again", file: "domain \(name)")
  }

  /// Writes the stream; returns why it could not be written whole.
  private func feed(
    _ pipe: Int32, on pool: WorkerPool, _ progress: (Double?) -> Void
  ) -> CheckpointError? {
    do throws(CheckpointError) {
      _ = try Export.run(
        chain, as: .xen(.xl), configuration: configuration,
        to: OutputPipe(pipe, name: "xl", cancellation: pool.cancellation),
        on: pool, progress: progress)
      return nil
    } catch {
      return error
    }
  }

  /// xl takes away what it had begun when the stream breaks off; but it may have been killed. A domain that has run
  /// is none of these: somebody else made it meanwhile.
  private func removeRemains() throws(CheckpointError) {
    guard let id = try hypervisor.domain(of: uuid), let remains = try hypervisor.domain(id),
      remains.timeRun == 0
    else { return }
    try toolstack.destroy(id)
  }
}
#endif
