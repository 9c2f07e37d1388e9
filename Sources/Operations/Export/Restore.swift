package import CheckpointChain
package import CheckpointCodec
package import CheckpointImage
package import Formats
package import Storage
/// Writes a chain's tip in a format that other programs read.
package enum Restore {
  /// The formats.
  package enum Format: String, CaseIterable, Sendable {
    /// An `xl save` file.
    case xl
    /// Xen's libxl stream.
    case libxl
    /// Xen's libxc stream.
    case libxc
    /// A save file of libvirt's libxl driver.
    case libvirt
    /// A suspend image of XenServer or XCP-ng.
    case xenserver
    /// Plain memory.
    case raw
    /// An ELF core file of the physical memory.
    case elf
    /// A dump of makedumpfile's kind, each page compressed.
    case kdump
    /// A memory image of LiME.
    case lime

    /// Whether pages whose contents are not known are left out; in the others they are shown as zeros.
    package var leavesOut: Bool { DumpFormat(rawValue: rawValue) != nil }
    /// Whether it says more of the guest than its memory.
    package var hasNotes: Bool { leavesOut && self != .lime }
  }

  /// Writes to `output`, which is not committed. Returns the pages that are shown as zeros or left out.
  ///
  /// - Parameters:
  ///   - configuration: for xl: the domain's configuration, in place of the image's.
  ///   - options: for elf, kdump and lime.
  package static func run(
    _ chain: Chain, as format: Format, configuration: GivenConfiguration? = nil,
    options: DumpOptions = DumpOptions(),
    to output: OutputFile,
    on pool: WorkerPool,
    progress: (Double?) -> Void = { _ in }
  ) throws(CheckpointError) -> Substitutions {
    try chain.checkStays(output)
    if let xen = XenFormat(rawValue: format.rawValue) {
      return try write(chain, as: xen, configuration, to: output, on: pool, progress)
    }
    if let dump = DumpFormat(rawValue: format.rawValue) {
      return try dump.write(chain, options, to: output) { (sink, steps) throws(CheckpointError) in
        try run(chain, .ascending, steps, into: sink, on: pool, progress)
      }
    }
    let writer = RawWriter(output)
    try run(chain, .ascending, into: writer, on: pool, progress)
    return writer.substitutions
  }

  private static func write(
    _ chain: Chain, as xen: XenFormat, _ configuration: GivenConfiguration?, to output: OutputFile,
    on pool: WorkerPool, _ progress: (Double?) -> Void
  ) throws(CheckpointError) -> Substitutions {
    try checkRestorable(chain)
    let writer: XenStreamWriter
    do throws(CheckpointError) {
      writer = try XenStreamWriter(
        xen, of: chain.records, configuration: configuration, to: output)
    } catch {
      throw error.inFile(chain.tip.name)
    }
    try run(chain, .layout, into: writer, on: pool, progress)
    return writer.substitutions
  }

  /// Fails if no guest can go on from a chain's tip, whatever the image is wrapped in: it did not suspend itself,
  /// or it would miss pages that were left out.
  package static func checkRestorable(_ chain: Chain) throws(CheckpointError) {
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(
        .refused,
        reason + ": no guest can go on from it; --to raw, elf, kdump and lime are possible",
        file: chain.tip.name)
    }
    let hasEvicted = chain.images.contains { $0.root.count(.evicted) > 0 }
    var missed: [EvictionReason: UInt64] = [:]
    for (number, _) in chain.nodes where hasEvicted {
      for entry in try chain.pages(ofBlock: number) ?? [] where entry.status.state == .evicted {
        missed[entry.status.reason, default: 0] += 1
      }
    }
    let reasons = EvictionReason.allCases.filter { missed[$0] != nil && !$0.isRestorable }
    guard reasons.isEmpty else {
      let parts = reasons.map { "\(missed[$0, default: 0]) \($0)" }.joined(separator: ", ")
      throw refused("pages that the guest would miss were left out (\(parts))")
    }
    let captured = try chain.tip.provenance().last { $0["action"] == "capture" }
    if captured?["restorable"] == "no", captured?["restorable.reason"] == nil {
      throw refused("was captured with --memory-only, for analysis")
    }
  }

  private static func run(
    _ chain: Chain, _ order: ChainSource.Order, _ steps: [Pipeline.Step] = [],
    into sink: any CheckpointSink, on pool: WorkerPool, _ progress: (Double?) -> Void
  ) throws(CheckpointError) {
    try Pipeline([.perform] + steps, into: sink, on: pool)
      .run(ChainSource(chain, order: order, on: pool), progress: progress)
  }
}
