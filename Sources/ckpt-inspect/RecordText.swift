import CheckpointImage
import Formats

extension RecordValue {
  /// The value as lines, indented with `indent`.
  func lines(_ indent: String) -> [String] {
    switch self {
    case .number, .hex: ["\(indent)\(word ?? "")"]
    case .text(let text):
      text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(indent)\($0)" }
    case .list(let values):
      values.allSatisfy { $0.word != nil }
        ? stride(from: 0, to: values.count, by: 8).map { start in
          indent
            + values[start..<min(start + 8, values.count)].compactMap(\.word).joined(separator: " ")
        }
        : values.flatMap { value in
          value.sentence.map { ["\(indent)\($0)"] } ?? value.lines(indent)
        }
    case .fields(let fields):
      fields.flatMap { field in
        if let word = field.value.word ?? field.value.sentence {
          return ["\(indent)\(field.name.padded(to: 12)) \(word)"]
        }
        return ["\(indent)\(field.name)"] + field.value.lines(indent + "  ")
      }
    }
  }

  /// A value that fits on the line of its name; nil for longer ones.
  private var word: String? {
    switch self {
    case .number(let value): "\(value)"
    case .hex(let value): Hexadecimal.string(value)
    case .text(let text): text.contains("\n") ? nil : text
    case .list, .fields: nil
    }
  }

  /// A few fields that fit on a line; nil for longer ones.
  private var sentence: String? {
    guard case .fields(let fields) = self, fields.count <= 8 else { return nil }
    let parts = fields.map { field in field.value.word.map { "\(field.name) \($0)" } }
    guard !parts.contains(nil) else { return nil }
    return parts.compactMap { $0 }.joined(separator: ", ")
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
