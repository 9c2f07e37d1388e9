#if Xen
import CheckpointCodec
import CheckpointImage
import GuestMemory

@testable import XenDomain

/// Which pages of a made-up guest are free, by what its descriptors say.
final class ModelClasses: PageClassifier {
  private let memory: any PhysicalMemory
  private let isEndless: () -> Bool
  private var words: [UInt64]

  init(_ memory: any PhysicalMemory, _ descriptors: Int, isEndless: @escaping () -> Bool)
    throws(CheckpointError)
  {
    self.memory = memory
    self.isEndless = isEndless
    words = [UInt64](repeating: 0, count: descriptors)
    _ = try update { _ in true }
  }

  let release = "6.1"

  subscript(pfn: PFN) -> PageClass {
    guard pfn / 64 < words.count else { return .unknown }
    return words[Int(pfn / 64)] >> (pfn % 64) & 1 == 1 ? .free : .kernelOther
  }

  func update(written: (PFN) -> Bool) throws(CheckpointError) -> [Range<PFN>] {
    let buffer = PageBuffer(pages: 64)
    while isEndless() { _ = try memory.copy([0], to: buffer, at: 0) }
    var changed: [Range<PFN>] = []
    let pfns = (0..<PFN(words.count)).filter(written)
    for start in stride(from: 0, to: pfns.count, by: 64) {
      let batch = pfns[start..<min(start + 64, pfns.count)]
      guard try memory.copy(batch, to: buffer, at: 0).isEmpty else {
        throw CheckpointError(.io, "a descriptor cannot be read")
      }
      for (slot, pfn) in batch.enumerated() {
        let word = unsafe buffer.page(slot).unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
        guard words[Int(pfn)] != word else { continue }
        words[Int(pfn)] = word
        changed.append(pfn * 64..<(pfn + 1) * 64)
      }
    }
    return changed
  }
}
#endif
