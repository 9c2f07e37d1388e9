internal import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import GuestMemory

/// What is to be left out of an image, as it was asked for.
package struct EvictionRequest: Sendable {
  /// Which classes of pages.
  package var policy: EvictionPolicy
  /// Which pages besides, whatever the guest uses them for.
  package var named: [EvictionPlan]

  /// Whether everything is to be saved.
  package var isEmpty: Bool { policy == .none && named.isEmpty }

  /// Makes a request.
  package init(_ policy: EvictionPolicy, named: [EvictionPlan] = []) {
    self.policy = policy
    self.named = named
  }

  /// Finds out which pages of a memory these are. If no guest is recognised in it, they are the named ones alone.
  ///
  /// - Parameter records: the state of the machine, as far as it is known: it helps to recognise the guest, and
  ///   names pages that a restore needs, which are kept.
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

  /// Looks into a source before it is captured. One that can be read only once is read for that, into a
  /// temporary file, which then takes its place.
  ///
  /// - Returns: what is to be captured, and what was decided; nil if everything is saved.
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
    // Regions can be taken over as they are only if no page of them is compared with a parent's.
    let settings = capture.parent == nil ? capture.settings : nil
    let moment = try SpooledMoment(source, settings, on: pool, progress: progress)
    let chain = moment.chain
    let decision = try decide(on: ChainMemory(chain), records: chain.completeRecords(), pool: pool)
    return (.spooled(moment, evicting: decision.plan), decision)
  }
}
