internal import CheckpointCodec
package import CheckpointImage
internal import FoundationEssentials
package import Storage

/// Reads a JSON list of segments element by element, since an image may be larger than memory.
package struct SegmentFormReader {
  /// The longest element in bytes: the largest body in base64, with room for its fields.
  private static let longest = 1 << 29
  private static let piece = 1 << 16

  private let input: InputStream
  private var buffer: [UInt8] = []
  private var next = 0
  private var element = 0

  /// The name used in messages.
  package var name: String { input.name }

  /// Reads the list in `input`.
  package init(_ input: InputStream) { self.input = input }

  /// The next segment; nil at the end of the list, after which nothing may follow.
  package mutating func read() throws(CheckpointError) -> SegmentForm? {
    let first = try nextByte()
    if element == 0 {
      guard first == UInt8(ascii: "[") else { throw damaged("expected a list of segments: [") }
      if try peekByte() == UInt8(ascii: "]") {
        _ = try nextByte()
        return try end()
      }
    } else if first == UInt8(ascii: "]") {
      return try end()
    } else if first != UInt8(ascii: ",") {
      throw damaged("expected , or ]")
    }
    element += 1
    guard try peekByte() == UInt8(ascii: "{") else { throw damaged("expected an object: {") }
    return try decode(object())
  }

  private mutating func end() throws(CheckpointError) -> SegmentForm? {
    guard try peekByte() == nil else { throw damaged("more text after the list") }
    return nil
  }

  private func decode(_ text: [UInt8]) throws(CheckpointError) -> SegmentForm {
    do {
      return try JSONDecoder().decode(SegmentForm.self, from: Data(text))
    } catch let error as DecodingError {
      throw damaged(Self.text(error))
    } catch {
      throw damaged("is not JSON")
    }
  }

  private static func text(_ error: DecodingError) -> String {
    func place(_ context: DecodingError.Context, _ last: String? = nil) -> String {
      let path = context.codingPath.map { key in
        key.intValue.map { "\($0)" } ?? key.stringValue
      }
      return (path + [last].compactMap { $0 }).joined(separator: "/")
    }
    return switch error {
    case .keyNotFound(let key, let context): "\(place(context, key.stringValue)) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      "\(place(context)): \(context.debugDescription)"
    @unknown default: "is not as expected"
    }
  }

  private func damaged(_ reason: String) -> CheckpointError {
    CheckpointError(
      .refused, reason, structure: element == 0 ? "JSON" : "segment \(element - 1)",
      offset: input.position - UInt64(buffer.count - next), file: input.name)
  }

  /// The text of an object, up to the brace that closes it; braces in strings do not count.
  private mutating func object() throws(CheckpointError) -> [UInt8] {
    var text: [UInt8] = []
    var depth = 0
    var isText = false
    var isEscaped = false
    while true {
      if next == buffer.count, try !fill() { throw damaged("the text ends within an object") }
      let start = next
      while next < buffer.count {
        let byte = buffer[next]
        next += 1
        if isText {
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isText = false
          }
          continue
        }
        switch byte {
        case UInt8(ascii: "\""): isText = true
        case UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "}"): depth -= 1
        default: break
        }
        if depth == 0 {
          text += buffer[start..<next]
          return text
        }
      }
      text += buffer[start..<next]
      guard text.count <= Self.longest else {
        throw damaged("an object of more than \(Self.longest) bytes")
      }
    }
  }

  /// The next byte that is not white space; nil at the end.
  private mutating func peekByte() throws(CheckpointError) -> UInt8? {
    while true {
      if next == buffer.count, try !fill() { return nil }
      guard [0x20, 0x09, 0x0a, 0x0d].contains(buffer[next]) else { return buffer[next] }
      next += 1
    }
  }

  private mutating func nextByte() throws(CheckpointError) -> UInt8? {
    let byte = try peekByte()
    if byte != nil { next += 1 }
    return byte
  }

  /// Reads more input; false at its end.
  private mutating func fill() throws(CheckpointError) -> Bool {
    buffer = try input.read(input.peek(Self.piece).count, "JSON")
    next = 0
    return !buffer.isEmpty
  }
}
