/// What a picture tells apart, and how it shows it.
public struct PageKind: Hashable, Sendable {
  /// The name in the legend.
  public var name: String
  /// Stands for it where there are no colours: large if it fills at least half of a cell, else small.
  public var letter: Character
  /// Its colour.
  public var color: Color

  /// Makes a kind.
  public init(name: String, letter: Character, color: Color) {
    self.name = name
    self.letter = letter
    self.color = color
  }
}
