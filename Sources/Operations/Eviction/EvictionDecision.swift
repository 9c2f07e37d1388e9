package import CheckpointCodec
package import CheckpointImage
package import GuestMemory
/// Which pages are left out of an image, and by whose word.
package struct EvictionDecision {
  /// The pages.
  package internal(set) var plan = EvictionPlan()
  /// What the kernel that was asked says of itself; nil if none was asked, or none was recognised.
  package private(set) var guest: GuestFacts?
  /// Why no guest was recognised; nil if one was, or none was looked for.
  package private(set) var obstacle: CheckpointError?
  /// Whether free pages were kept because the kernel fills them with a pattern that it looks for later.
  package private(set) var keepsFreePages = false

  /// Pages whose class is not known, which are kept, if they are more than one in 64; else 0.
  package private(set) var unknownPages = 0
  /// Whether pages were named by number.
  var hasNamed = false

  private let policy: EvictionPolicy

  init(_ policy: EvictionPolicy) { self.policy = policy }

  /// Evicts the classes of pages that the policy names.
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

  /// How many pages were to be left out that have no contents in the memory, if pages were named by number: what a
  /// policy says of pages that are not there is the guest's word.
  package func absentPages(after tally: EvictionTally) -> UInt64 {
    hasNamed ? plan.pageCount - min(plan.pageCount, tally.met) : 0
  }

  /// Adds to the provenance what was asked for and what was recognised.
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
