public import CheckpointCodec
public import CheckpointImage

/// Which pages are left out of an image, and by whose word.
public struct EvictionDecision {
  /// The pages.
  public internal(set) var plan = EvictionPlan()
  /// The guest whose kernel told; nil if it was not asked or not recognised.
  public private(set) var guest: LinuxGuest?
  /// Why no guest was recognised; nil if one was, or none was looked for.
  public private(set) var obstacle: CheckpointError?

  private let policy: EvictionPolicy

  init(_ policy: EvictionPolicy) { self.policy = policy }

  /// Evicts the classes of pages that the policy names.
  mutating func classify(_ memory: any PhysicalMemory, _ clues: MemoryClues) throws(CheckpointError)
  {
    do throws(CheckpointError) {
      let found = try LinuxGuest.find(in: memory, clues)
      guest = found
    } catch {
      guard error.kind == .refused else { throw error }
      obstacle = error
    }
  }

  /// Adds to the provenance what was asked for and what was recognised.
  public func describe(in provenance: inout Provenance) {
    provenance.add("evict.policy", "\(policy)")
    if let obstacle { provenance.add("evict.obstacle", obstacle.reason) }
    if let guest { provenance.add("guest.release", guest.information.release) }
  }
}
