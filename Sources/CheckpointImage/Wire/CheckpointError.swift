/// What went wrong while reading, writing or resolving images, and where.
///
/// One error type serves all libraries, so a tool can turn any failure into its exit status and one
/// line of text: `file: byte N: structure: reason`.
public struct CheckpointError: Error, Hashable, Sendable {
  /// The class of a failure; it decides the exit status of a tool.
  public enum Kind: Hashable, Sendable {
    /// The bytes break a rule of the format they claim to be.
    case damaged
    /// The input ends before it is complete.
    case incomplete
    /// A version or feature that this program lacks.
    case unsupported
    /// An image that is needed to resolve a chain was not found.
    case missingParent
    /// The images do not belong together: another guest, another moment.
    case mismatch
    /// The operating system refused: no space, no permission, a closed pipe.
    case io
    /// The request cannot be met with this input.
    case refused
    /// The caller asked for an end; see `Cancellation`.
    case interrupted
  }

  /// The class of the failure.
  public var kind: Kind
  /// The file concerned, as the user named it.
  public var file: String?
  /// The byte offset in that file.
  public var offset: UInt64?
  /// The structure, in the words of the specification.
  public var structure: String?
  /// What is wrong: where values disagree, what was found and what was expected.
  public var reason: String
  /// What may help; nil where nothing is known to.
  public var hint: Hint?

  /// Makes an error; file and place may be filled in by the caller that knows them.
  public init(
    _ kind: Kind, _ reason: String, structure: String? = nil, offset: UInt64? = nil,
    file: String? = nil, hint: Hint? = nil
  ) {
    self.kind = kind
    self.reason = reason
    self.structure = structure
    self.offset = offset
    self.file = file
    self.hint = hint
  }

  /// The same error, with the file named if it was not yet.
  public func inFile(_ name: String) -> Self {
    var error = self
    if error.file == nil { error.file = name }
    return error
  }
}

extension CheckpointError: CustomStringConvertible {
  /// `file: byte N: structure: reason`, without the parts that are unknown.
  public var description: String {
    var parts: [String] = []
    if let file { parts.append(file) }
    if let offset { parts.append("byte \(offset)") }
    if let structure { parts.append(structure) }
    parts.append(reason)
    return parts.joined(separator: ": ")
  }
}
