internal import GridCore
internal import Testing

@testable internal import GridCluster

/// What a node remembers of names.
@Suite("Remembered locations")
struct LocationCacheTests {
  private let now = MonotonicTime(nanoseconds: 1_000_000_000)

  private func at(_ node: String, _ epoch: Int64) -> Location {
    Location(node: node, incarnation: 1, epoch: epoch, kind: "echo")
  }

  private func asked(_ cache: inout LocationCache, _ name: String, _ answer: Location?, at time: MonotonicTime? = nil) {
    cache.asks(name)
    cache.answered(name, answer, at: time ?? now)
  }

  private enum News {
    case put(Int64)
    case delete(Int64)
    case claimed
    case released(Int64)
    case gap
    case moved(from: String, Int64?)
  }

  private func tell(_ cache: inout LocationCache, _ name: String, _ news: News) {
    switch news {
    case .put(let epoch): cache.heard(name, at("b", epoch))
    case .delete(let revision): cache.heardEnd(name, at: revision)
    case .claimed: cache.claimed(name)
    case .released(let epoch): cache.released(name, epoch: epoch)
    case .gap: cache.forgetAll()
    case .moved(let node, let epoch): cache.moved(name, from: node, to: epoch.map { at("b", $0) })
    }
  }

  @Test("news of what is remembered: the later wins")
  func corrections() {
    let table: [(News, Int64?)] = [
      (.put(6), 6), (.put(4), 5), (.delete(6), nil), (.delete(4), 5), (.claimed, nil), (.released(5), nil),
      (.released(4), 5), (.gap, nil), (.moved(from: "a", 6), 6), (.moved(from: "a", nil), nil),
      (.moved(from: "a", 4), nil), (.moved(from: "c", 6), 5), (.moved(from: "c", nil), 5),
    ]
    for (news, expected) in table {
      var cache = LocationCache()
      asked(&cache, "x", at("a", 5))
      tell(&cache, "x", news)
      #expect(cache.find("x")?.epoch == expected, "\(news)")
    }
  }

  @Test("an answer that something was heard after does not count")
  func overtaken() {
    for news in [News.put(6), .delete(6), .claimed, .released(5), .gap] {
      var cache = LocationCache()
      cache.asks("x")
      tell(&cache, "x", news)
      let heard = cache.find("x")
      cache.answered("x", at("a", 5), at: now)
      #expect(cache.find("x") == heard, "\(news)")
      // The next question is a new one.
      asked(&cache, "x", at("c", 9))
      #expect(cache.find("x")?.epoch == 9)
    }
  }

  @Test("of two questions at once the later answer counts, and nothing is left of failed ones")
  func questions() {
    var cache = LocationCache()
    cache.asks("x")
    cache.asks("x")
    cache.failed("x")
    #expect(cache.remembers("x"))
    cache.answered("x", at("a", 5), at: now)
    #expect(cache.find("x")?.epoch == 5)
    cache.asks("y")
    cache.failed("y")
    cache.failed("y")
    #expect(!cache.remembers("y"))
  }

  @Test("a name that nobody has is asked for twice in half a second")
  func missing() {
    var cache = LocationCache()
    asked(&cache, "x", nil)
    #expect(!cache.isMissing("x", at: now))
    asked(&cache, "x", nil)
    #expect(cache.isMissing("x", at: now + .milliseconds(499)))
    #expect(!cache.isMissing("x", at: now + .milliseconds(500)))
    cache.heard("x", at("a", 7))
    #expect(!cache.isMissing("x", at: now) && cache.find("x")?.epoch == 7)
  }

  @Test("there is an end to what is remembered, and what is used stays")
  func bounds() {
    var cache = LocationCache()
    asked(&cache, "used", at("a", 1))
    for number in 0..<(LocationCache.generation * 5) {
      asked(&cache, "n\(number)", at("a", 1))
      if number.isMultiple(of: 1000) { #expect(cache.find("used") != nil) }
    }
    #expect(cache.names(atMost: .max).count <= LocationCache.generation * 2)
    #expect(cache.find("n0") == nil)
    for number in 0..<(LocationCache.missingCapacity * 3) { asked(&cache, "m\(number)", nil) }
    #expect(!cache.remembers("m0"))
  }

  @Test("of names that were not asked for nothing is kept")
  func indifference() {
    var cache = LocationCache()
    cache.heard("x", at("a", 1))
    cache.heardEnd("x", at: 2)
    cache.claimed("x")
    cache.released("x", epoch: 1)
    #expect(!cache.remembers("x") && cache.names(atMost: 10).isEmpty)
  }
}
