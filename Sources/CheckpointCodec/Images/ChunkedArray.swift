/// A growing array that never copies what it holds: a plain one takes twice its size while it grows.
struct ChunkedArray<Element> {
  private static var chunkSize: Int { 1 << 12 }
  private var chunks: [[Element]] = []
  private(set) var count = 0

  mutating func append(_ element: Element) {
    if count % Self.chunkSize == 0 {
      chunks.append([])
      chunks[chunks.count - 1].reserveCapacity(Self.chunkSize)
    }
    chunks[chunks.count - 1].append(element)
    count += 1
  }

  subscript(index: Int) -> Element { chunks[index / Self.chunkSize][index % Self.chunkSize] }
}
