internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import GuestMemory

/// The pages to leave out of an image, as requested.
package struct EvictionRequest: Sendable {
  /// The classes of pages.
  package var policy: EvictionPolicy
  /// Further pages, whatever the guest uses them for.
  package var named: [EvictionPlan]

  /// Whether nothing is to be left out.
  package var isEmpty: Bool { policy == .none && named.isEmpty }

  /// A request for classes of pages, and pages by number.
  package init(_ policy: EvictionPolicy, named: [EvictionPlan] = []) {
    self.policy = policy
    self.named = named
  }

  /// Decides which pages of a memory to evict. If no guest is recognised in it, only the named ones are.
  ///
  /// - Parameter records: the machine state, as far as it is known. It helps to recognise the guest, and shows
  ///   pages that a restore needs, which are kept.
  package func decide(
    on memory: any PhysicalMemory, records: [MachineRecord], pool: WorkerPool
  ) throws(CheckpointError) -> EvictionDecision {
    var decision = EvictionDecision(policy)
    if policy > .none { try decision.classify(memory, MemoryClues(records), on: pool) }
    for plan in named { decision.plan.add(plan) }
    decision.hasNamed = named.contains { !$0.isEmpty }
    decision.plan.keep(try ProtectedPages.pfns(records, in: memory))
    return decision
  }

  /// Examines a source before it is captured. A source that can be read only once is spooled to a temporary
  /// file, which then replaces it.
  ///
  /// - Returns: the input of the capture, and the decision; nil if everything is saved.
  package func prepare(
    _ source: any DescribedSource, for capture: Capture, on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> (CaptureInput, EvictionDecision?) {
    guard !isEmpty else { return (.source(source), nil) }
    if let known = source.sourceMemory {
      let decision = try decide(on: known.memory, records: known.records, pool: pool)
      known.leaveOut(decision.plan)
      return (.source(source, evicting: decision.plan), decision)
    }
    // Regions can be copied unchanged only if none of their pages is compared with a parent's.
    let settings = capture.parent == nil ? capture.settings : nil
    let moment = try SpooledMoment(source, settings, on: pool, progress: progress)
    let chain = moment.chain
    let decision = try decide(on: ChainMemory(chain), records: chain.completeRecords(), pool: pool)
    return (.spooled(moment, evicting: decision.plan), decision)
  }
}
