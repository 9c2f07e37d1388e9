internal import CheckpointChain
internal import CheckpointCodec
internal import CheckpointImage
import Storage

enum SalvageTarget {
  private static let scratch = Scratch(.salvage)
  private static let mostPages: UInt64 = 1 << 16
  private static let pool = WorkerPool(threadless: ())

  private static func findings(_ name: String) throws(CheckpointError) -> [CheckpointError] {
    let check = Verification(.full, on: pool)
    try check.run(
      LocalFile(scratch.path(name)), finding: Folders(of: scratch.path(name), searching: []))
    return check.findings
  }

  static func run(_ input: [UInt8]) -> Outcome {
    let damaged = DamagedImage(input)
    // A few bytes speak of many pages; each of them takes its time, as it would in a large guest.
    guard damaged.sound.statedPages <= mostPages else { return .refused }
    do throws(CheckpointError) {
      try scratch.write(damaged.sound.bytes, as: "base")
      try scratch.write(damaged.bytes, as: "image")
      let wasSound = try findings("base").isEmpty
      let output = try scratch.output("restored")
      do throws(CheckpointError) {
        _ = try Salvage.run(
          LocalFile(scratch.path("image")),
          finding: Folders(of: scratch.path("image"), searching: []), provenance: Provenance(),
          to: output, on: pool)
      } catch {
        return error.kind == .io ? .broken("\(error)") : .refused
      }
      try output.commit()
      if let finding = try findings("restored").first { return .broken("rescued, but \(finding)") }
      return wasSound ? try compare(with: damaged.sound) : .accepted
    } catch {
      return .broken("\(error)")
    }
  }

  /// A page that was rescued is the page that was there, and no older copy of it.
  private static func compare(with image: SealedImage) throws(CheckpointError) -> Outcome {
    let chain = try Chain.open(scratch.path("restored"))
    for (number, _) in chain.memoryTree {
      let pages = try chain.pages(ofBlock: number) ?? []
      for (slot, page) in pages.enumerated() {
        guard page.status.state == .data || page.status.state == .zero else { continue }
        let before = image.pages[number]?[slot]
        guard before?.status == page.status, before?.digest == page.digest else {
          return .broken("page \(slot) of block \(number) became another")
        }
      }
    }
    return .accepted
  }
}
