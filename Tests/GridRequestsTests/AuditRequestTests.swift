import GridCore
import GridRequests
import Testing

/// What is written down of requests.
@Suite struct AuditRequestTests {
  @Test func `what changes something is written down, what looks is not`() {
    #expect(SpawnRequest.isAudited && StopRequest.isAudited && RestartRequest.isAudited && NodeStopRequest.isAudited)
    #expect(PurgeDeadLettersRequest.isAudited && ReplayDeadLetterRequest.isAudited && BenchRequest.isAudited)
    #expect(ResignRequest.isAudited && RecordRunRequest.isAudited && CampaignRequest.isAudited)
    #expect(!ActorsRequest.isAudited && !PeersRequest.isAudited && !DeadLettersRequest.isAudited)
    // They look, and are asked for often; operators alone may.
    #expect(!KeepLeadershipRequest.isAudited && !AuditListRequest.isAudited && !AuditVerifyRequest.isAudited)
    #expect(!AuditStreamRequest.isAudited && AuditStreamRequest.role == .operator)
  }

  @Test func `it is told what a request is about`() {
    #expect(StopRequest("hits", kills: true).auditSubject == ["name": "hits", "kill": true])
    #expect(ReplayDeadLetterRequest("l1", to: "x").auditSubject == ["id": "l1", "to": "x"])
    #expect(PurgeDeadLettersRequest(DeadLetterFilter(target: "a*")).auditSubject == ["target": "a*"])
  }

  @Test func `a record is the same after it has travelled`() throws {
    var record = AuditRecord(
      "stop", ["name": "hits"],
      Caller(name: "kim", role: .viewer, source: .certificate, from: "10.0.0.7:1", isHere: true), .denied, begunAs: 7,
      error: GridError(.refused, "no"))
    (record.sequence, record.order, record.node) = (8, 9, "n1")
    (record.previous, record.hash) = ("aa", "bb")
    record.at = CalendarTime(millisecondsSince1970: 1_767_225_600_000)
    #expect(try AuditRecord(json: record.json) == record)
    #expect(record.json["at"] == "2026-01-01T00:00:00.000Z")
  }
}
