internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats
internal import GuestMemory
internal import Operations
internal import Storage

enum ExportTarget {
  private static let formats: [XenFormat] = [.xl, .libxl, .libxc, .libvirt, .xenServer]
  private static let scratch = Scratch(.export)
  private static let pool = WorkerPool(threadless: ())

  private static func capture(_ bytes: [UInt8], _ format: XenFormat) throws(CheckpointError)
    -> ImageRoot
  {
    let output = try scratch.output("image")
    let source = try XenStreamSource(InputStream(MemoryOrigin(bytes)), format)
    let result = try Capture(settings: CodecSettings(), parent: nil, provenance: Provenance())
      .run(.source(source), to: output, on: pool)
    try output.commit()
    return result.image.root
  }

  /// Leaves out every page that may be left out, whatever the records name.
  private static func evictAll(_ chain: Chain) throws(CheckpointError) {
    var all = EvictionPlan()
    all.evict(0..<Limits.pfnEnd, .listed)
    let decision = try EvictionRequest(.none, named: [all])
      .decide(on: ChainMemory(chain), records: chain.completeRecords(), pool: pool)
    var options = Merge.Options(provenance: Provenance())
    options.evicted = decision.plan
    let output = try scratch.output("evicted")
    _ = try Merge.run(chain, options, to: output, on: pool)
    try output.commit()
  }

  /// The first byte chooses the format, the others are the stream.
  static func run(_ input: [UInt8]) -> Outcome {
    guard let first = input.first, Int(first) < formats.count else { return .refused }
    let format = formats[Int(first)]
    let stream = Array(input.dropFirst())
    guard let root = try? capture(stream, format) else { return .refused }
    do throws(CheckpointError) {
      let chain = try Chain.open(scratch.path("image"))
      try evictAll(chain)
      let output = try scratch.output("restored")
      _ = try Export.run(chain, as: .xen(format), to: output, on: pool)
      try output.commit()
      let restored = try scratch.bytes("restored")
      if root.layout == .exact {
        return restored == stream ? .accepted : .broken("exported as another stream")
      }
      let again = try capture(restored, format)
      return again.memory == root.memory && again.state == root.state
        ? .accepted : .broken("exported as a stream of another moment")
    } catch {
      return .broken("\(error)")
    }
  }
}
