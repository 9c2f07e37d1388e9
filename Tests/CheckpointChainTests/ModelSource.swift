import CheckpointChain
@testable import CheckpointCodec
import CheckpointImage
import Formats
import TestSupport

/// Sends a model as a source would, optionally with stale copies first as a live save does.
final class ModelSource: DescribedSource {
  let name = "model"
  let facts: SourceFacts
  let layoutKind: LayoutKind? = LayoutKind.none
  let fractionDone: Double? = nil
  private var events: [SourceEvent] = []
  private var position = 0

  init(
    _ model: ModelMoment, staleCopies: Int = 0, resending: Int = 0, policy: String = "policy",
    ascendingUnique: Bool = false, using random: inout SplitMix64
  ) {
    facts = SourceFacts(
      kind: "model", architecture: .x86, ascendingUnique: ascendingUnique, fields: [])
    events.append(
      .record(MachineRecord(.libxc, .fixed, type: 0x11, payload: Array(policy.utf8))))
    events.append(.record(MachineRecord(.libxc, .sticky, type: 3, payload: Array("p2m".utf8))))
    if resending > 0 {
      // As a live save does: all pages, some of them with other contents, and those then again.
      var first = model
      let pfns = model.pages.keys.shuffled(using: &random).prefix(resending)
      first.step(resending, pfns: Array(pfns), using: &random)
      send(first)
      events.append(.newPass)
      var second = ModelMoment()
      for pfn in pfns { second.set(pfn, model.pages[pfn]) }
      send(second)
    } else if staleCopies > 0 {
      var stale = ModelMoment()
      let pfns = Array(model.pages.keys) + [7, 8, 9]
      stale.step(staleCopies, pfns: pfns, using: &random)
      send(stale)
      events.append(.newPass)
      // Pages that exist only in the first pass are said to be gone in the second.
      for pfn in stale.pages.keys.sorted() where model.pages[pfn] == nil {
        events.append(
          .states(StateExtent(pfn: pfn, count: 1, status: PageStatus(.unpopulated))))
      }
      events.append(.newPass)
    }
    if resending == 0 { send(model) }
    events.append(.record(MachineRecord(.libxc, .epoch, type: 9, payload: model.registers)))
  }

  private func send(_ model: ModelMoment) {
    var batch = PageBatch(buffer: PageBuffer(), pages: [])
    for pfn in model.pages.keys.sorted() {
      guard let page = model.pages[pfn] else { continue }
      switch page.status.state {
      case .data, .zero:
        // A source does not know which pages are zero.
        if page.status.state == .zero {
          batch.buffer.clear(batch.pages.count)
        } else {
          batch.buffer.write(ModelMoment.contents(page.seed), to: batch.pages.count)
        }
        batch.pages.append(PageBatch.Page(pfn: pfn, type: page.status.type))
      default:
        if facts.ascendingUnique, !batch.pages.isEmpty {
          events.append(.pages(batch))
          batch = PageBatch(buffer: PageBuffer(), pages: [])
        }
        events.append(.states(StateExtent(pfn: pfn, count: 1, status: page.status)))
      }
      if batch.pages.count == PageBuffer.capacity {
        events.append(.pages(batch))
        batch = PageBatch(buffer: PageBuffer(), pages: [])
      }
    }
    if !batch.pages.isEmpty { events.append(.pages(batch)) }
  }

  func next() throws(CheckpointError) -> SourceEvent? {
    guard position < events.count else { return nil }
    position += 1
    return events[position - 1]
  }
}

extension PageBuffer {
  /// Fills a page.
  func write(_ bytes: [UInt8], to slot: Int) {
    unsafe bytes.withUnsafeBytes { source in
      unsafe mutableBytes(slot..<slot + 1).copyMemory(from: source)
    }
  }
}
