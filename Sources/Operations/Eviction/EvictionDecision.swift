package import CheckpointCodec
package import CheckpointImage
package import GuestMemory

/// Which pages are evicted from an image, and why.
package struct EvictionDecision {
  /// The pages to evict.
  package internal(set) var plan = EvictionPlan()
  /// Facts about the guest; nil if none was looked for or none was recognised.
  package private(set) var guest: GuestFacts?
  /// Why no guest was recognised; nil if one was, or none was looked for.
  package private(set) var obstacle: CheckpointError?
  /// Whether free pages are kept because the kernel fills them with a pattern that it checks later.
  package private(set) var keepsFreePages = false

  /// The number of pages of unknown class, which are kept, if they are more than one in 64; else 0.
  package private(set) var unknownPages = 0
  /// Whether some pages were named by number.
  var hasNamed = false

  private let policy: EvictionPolicy

  init(_ policy: EvictionPolicy) { self.policy = policy }

  /// Adds the classes of pages that the policy names.
  mutating func classify(
    _ memory: any PhysicalMemory, _ clues: MemoryClues, on pool: WorkerPool
  ) throws(CheckpointError) {
    do throws(CheckpointError) {
      let found = try LinuxGuest.find(in: memory, clues, on: pool)
      let classes = try PageClasses(of: found)
      plan = try classes.plan(policy)
      keepsFreePages = try classes.poisonedFreePages
      guest = try found.facts
      let counts = classes.counts
      let unknown = counts[.unknown] ?? 0
      if unknown > counts.values.reduce(0, +) / 64 { unknownPages = unknown }
    } catch {
      guard error.kind == .refused else { throw error }
      obstacle = error
    }
  }

  /// How many pages were to be evicted but have no contents, if pages were named by number. Without named pages
  /// it is 0: a policy may cover pages that the guest describes but does not have.
  package func absentPages(after tally: EvictionTally) -> UInt64 {
    hasNamed ? plan.pageCount - min(plan.pageCount, tally.met) : 0
  }

  /// Adds the request and the recognised guest to the provenance.
  package func describe(in provenance: inout Provenance) {
    provenance.add("evict.policy", "\(policy)")
    if let obstacle { provenance.add("evict.obstacle", obstacle.reason) }
    if keepsFreePages {
      provenance.add("evict.kept", "free pages: the guest fills them with a pattern")
    }
    if unknownPages > 0 { provenance.add("evict.unknown", "\(unknownPages)") }
    for (key, value) in guest?.fields ?? [] { provenance.add(key, value) }
  }
}
