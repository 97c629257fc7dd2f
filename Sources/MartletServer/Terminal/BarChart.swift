// Bars of text for a terminal, to an eighth of a column.

package struct BarChart: Sendable {
  package struct Bar: Sendable {
    package let label: String
    package let value: Double
    /// Stands behind the bar.
    package let note: String

    package init(label: String, value: Double, note: String) {
      self.label = label
      self.value = value
      self.note = note
    }
  }

  private let bars: [Bar]
  private let width: Int

  /// - Parameter width: columns of the longest bar.
  package init(_ bars: [Bar], width: Int = 40) {
    self.bars = bars
    self.width = max(1, width)
  }

  /// One line for each bar; none for no bars.
  package var lines: [String] {
    let longest = bars.map(\.label.count).max() ?? 0
    let most = bars.map(\.value).filter(\.isFinite).max() ?? 0
    return bars.map { bar in
      let label = String(repeating: " ", count: longest - bar.label.count) + bar.label
      return "\(label)  \(BarChart.padded(BarChart.bar(bar.value, of: most, width), width))  \(bar.note)"
    }
  }

  private static let eighths: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  /// What is more than nothing is seen.
  static func bar(_ value: Double, of most: Double, _ width: Int) -> String {
    guard value > 0, most > 0, value.isFinite else { return "" }
    let parts = max(1, Int((min(1, value / most) * Double(width) * 8).rounded()))
    let full = String(repeating: "█", count: parts / 8)
    return parts % 8 == 0 ? full : full + String(eighths[parts % 8 - 1])
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
