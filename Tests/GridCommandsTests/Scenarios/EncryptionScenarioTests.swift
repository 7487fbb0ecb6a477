import Foundation
import Testing

/// A cluster whose connections are encrypted, as its people use it.
@Suite struct EncryptionScenarioTests {
  /// The options of whoever has a certificate of that name in the directory `ca`.
  private func files(_ name: String) -> String {
    "--tls-ca ca/ca.pem --tls-cert ca/\(name).pem --tls-key ca/\(name).key"
  }

  private func makeCertificates(_ sandbox: Sandbox) async throws {
    try await sandbox.output("gridctl tls init-ca ca -o name")
    for node in ["n1", "n2", "n3"] { try await sandbox.output("gridctl tls issue --ca ca --name \(node)") }
    for (name, role) in [("olga", "operator"), ("vera", "viewer")] {
      try await sandbox.output("gridctl tls issue --ca ca --name \(name) --role \(role)")
    }
  }

  /// Nodes on addresses of their own, as on machines of their own.
  private func startNodes(_ sandbox: Sandbox, _ count: Int = 3) async throws {
    for number in 1...count {
      try await sandbox.output("start --listen 127.0.0.\(number):0 \(files("n\(number)"))")
    }
    _ = try await sandbox.eventually("gridctl peers --status alive -o name") {
      $0.output.split(separator: "\n").count == count
    }
  }

  @Test func threeNodesOperatorAndViewerEachDoWhatTheirCertificatesAllow() async throws {
    try await withSandbox { sandbox in
      try await makeCertificates(sandbox)
      #expect(try await sandbox.output("stat -c %a ca ca/ca.key ca/n1.key ca/n1.pem") == "700\n600\n600\n644")
      try await startNodes(sandbox)
      let address = try await sandbox.address("n1")
      #expect(address.hasPrefix("127.0.0.1:"))
      let (olga, vera) = ("gridctl -e \(address) \(files("olga"))", "gridctl -e \(address) \(files("vera"))")
      #expect(try await sandbox.output("\(olga) spawn echo e --on n2 -o name") == "actor/e")
      #expect(try await sandbox.output("\(olga) ask e hello") == "hello")
      #expect(try await sandbox.output("\(vera) peers -o name") == "peer/n1\npeer/n2\npeer/n3")
      for attempt in ["spawn echo f", "ask e hello", "stop e", "node stop n2"] {
        let result = try await sandbox.run("\(vera) \(attempt)")
        #expect(result.status == 77, "\(attempt): \(result)")
      }
      // Without TLS, with another authority, with a node's certificate.
      let plain = try await sandbox.run("gridctl -e \(address) peers")
      #expect(plain.status == 76 && plain.errors.contains("it speaks TLS"), "\(plain)")
      #expect(plain.errors.contains("--tls-ca"))
      try await sandbox.output("gridctl tls init-ca other -o name")
      try await sandbox.output("gridctl tls issue --ca other --name olga --role operator")
      let other = try await sandbox.run(
        "gridctl -e \(address) --tls-ca ca/ca.pem --tls-cert other/olga.pem --tls-key other/olga.key peers")
      #expect(other.status == 77 && other.errors.contains("does not know the authority"), "\(other)")
      let node = try await sandbox.run("gridctl -e \(address) \(files("n2")) peers")
      #expect(node.status == 77 && node.errors.contains("it is for no client"), "\(node)")
      let information = try await sandbox.output("gridctl node info n2 -o jsonpath='{.identity} {.weakened[*]}'")
      #expect(information == "n2.node.default.gridctl ")
    }
  }

  @Test func aNodeIsWhoItsCertificateSaysAndItsKeyIsItsOwn() async throws {
    try await withSandbox { sandbox in
      try await makeCertificates(sandbox)
      let another = try await sandbox.run("gridctl node start --name n9 \(files("n1"))")
      #expect(another.status == 77 && another.errors.contains("the certificate ca/n1.pem is of n1.node"), "\(another)")
      #expect(another.errors.contains("gridctl tls issue --ca DIR --namespace default --name n9"), "\(another)")
      let client = try await sandbox.run("gridctl node start \(files("olga"))")
      #expect(client.status == 77 && client.errors.contains("olga.operator.default"), "\(client)")
      try await sandbox.output("chmod 644 ca/n1.key")
      let open = try await sandbox.run("gridctl node start \(files("n1"))")
      #expect(open.status == 77 && open.errors.contains("chmod 600 ca/n1.key"), "\(open)")
      let bare = try await sandbox.run("gridctl node start --tls-ca ca/ca.pem")
      #expect(bare.status == 64 && bare.errors.contains("--tls-cert"), "\(bare)")
      let network = try await sandbox.run("gridctl node start --listen 0.0.0.0:0")
      #expect(network.status == 77, "\(network)")
      let commands = ["tls init-ca", "tls issue --ca", "node start --name n1 --listen"].map { "gridctl " + $0 }
      for command in commands + ["--insecure"] {
        #expect(network.errors.contains(command), "\(command): \(network)")
      }
      try await sandbox.output("start --name n2 --listen 0.0.0.0:0 --insecure")
      #expect(try await sandbox.output("gridctl node info n2 -o jsonpath='{.weakened[*]}'") == "--insecure")
      let check = try await sandbox.run("gridctl check")
      #expect(check.status == 0 && check.output.contains("its defaults are weakened: --insecure"), "\(check)")
    }
  }

  @Test func certificatesAreReplacedWhileNodesRun() async throws {
    try await withSandbox { sandbox in
      try await makeCertificates(sandbox)
      try await sandbox.output("gridctl tls issue --ca ca --name n1 --days 3 --force")
      try await startNodes(sandbox, 2)
      let soon = try await sandbox.run("gridctl check")
      #expect(soon.status == 0 && soon.output.contains("its certificate expires in "), "\(soon)")
      let events = try await sandbox.output(
        "gridctl events --since 1h --idle 1s -o jsonl | grep -c certificate-expires")
      #expect(events == "1")
      let address = try await sandbox.address("n1")
      let shown = "gridctl tls show \(address) -o jsonpath={.fingerprint}"
      let before = try await sandbox.output(shown)
      let refused = try await sandbox.run("gridctl tls issue --ca ca --name n1")
      #expect(refused.status != 0 && refused.errors.contains("--force"), "\(refused)")
      try await sandbox.output("gridctl tls issue --ca ca --name n1 --force")
      let after = try await sandbox.eventually(shown) { $0.status == 0 && $0.output != before + "\n" }
      let issued = try await sandbox.output("gridctl tls show ca/n1.pem -o jsonpath={.fingerprint}")
      #expect(after.output == issued + "\n")
      #expect(try await sandbox.run("gridctl check").output.contains("certificate") == false)
      // As it is read while somebody writes it.
      try await sandbox.output("cp ca/n1.pem whole.pem && head -c 200 whole.pem > ca/n1.pem")
      let half = try await sandbox.eventually("gridctl check") { $0.output.contains("cannot be used") }
      #expect(half.status == 0 && half.output.contains("the one before stays"), "\(half)")
      #expect(try await sandbox.output("gridctl -e \(address) \(files("olga")) peers -o name") == "peer/n1\npeer/n2")
      try await sandbox.output("cat whole.pem > ca/n1.pem")
      let mended = try await sandbox.eventually("gridctl check") { !$0.output.contains("certificate") }
      #expect(!mended.output.contains("certificate"), "\(mended)")
      let verified = try await sandbox.output("gridctl tls verify n1 \(files("vera")) -o jsonpath='{.identity} {.ok}'")
      #expect(verified == "n1.node.default.gridctl true")
      #expect(try await sandbox.output("gridctl peers --status alive -o name") == "peer/n1\npeer/n2")
    }
  }

  @Test func noRequestIsLostWhileCertificatesAreReplaced() async throws {
    try await withSandbox { sandbox in
      try await makeCertificates(sandbox)
      try await startNodes(sandbox, 1)
      let way = "gridctl -e \(try await sandbox.address("n1")) \(files("olga"))"
      try await sandbox.output("gridctl spawn counter hits")
      // One connection that stays and many that come, while the files become others under them.
      let line = """
        (yes 1 | head -5000 | \(way) tell hits --lines -q) & stream=$!
        (for i in $(seq 1 20); do \(way) tell hits 1 -q || exit 1; done) & calls=$!
        for i in 1 2 3; do gridctl tls issue --ca ca --name n1 --force -o name || exit 1; sleep 1.1; done
        wait $stream && wait $calls && gridctl ask hits ''
        """
      let result = try await sandbox.run(line)
      #expect(result.status == 0 && result.output.hasSuffix("5020\n"), "\(result)")
    }
  }

  @Test func oldVersionsOfTLSAndPlainConnectionsAreRefusedAndTheLogSaysSo() async throws {
    guard try await withSandbox({ try await $0.run("command -v openssl").status }) == 0 else { return }
    try await withSandbox { sandbox in
      try await makeCertificates(sandbox)
      try await sandbox.output("start --log-level info \(files("n1"))")
      let address = try await sandbox.address("n1")
      for (version, isTaken) in [("tls1", false), ("tls1_1", false), ("tls1_2", true), ("tls1_3", true)] {
        let hello = "openssl s_client -connect \(address) -\(version) -cipher DEFAULT:@SECLEVEL=0 -CAfile ca/ca.pem"
        let result = try await sandbox.run("\(hello) </dev/null 2>&1 | grep -c 'alert protocol version'")
        #expect(result.output == (isTaken ? "0\n" : "1\n"), "\(version): \(result)")
      }
      #expect(try await sandbox.run("gridctl -e \(address) peers").status == 76)
      let log = try await sandbox.eventually("cat state/gridctl/default/node.log") {
        $0.output.contains("speaks no TLS")
      }
      #expect(log.output.contains("whoever has dialled speaks no TLS"), "\(log)")
      #expect(log.output.contains("no version of TLS in common; 1.2 is the least"), "\(log)")
    }
  }

  @Test func contextsCarryTheFilesAndCheckTriesThem() async throws {
    try await withSandbox { sandbox in
      try await makeCertificates(sandbox)
      try await startNodes(sandbox, 1)
      let address = try await sandbox.address("n1")
      func add(_ name: String, _ certificate: String) async throws {
        try await sandbox.output(
          "gridctl context add \(name) -q -e \(address) --tls-ca $PWD/ca/ca.pem --tls-cert $PWD/ca/\(certificate).pem "
            + "--tls-key $PWD/ca/\(certificate).key")
      }
      try await add("good", "vera")
      try await add("bad", "n1")
      #expect(try await sandbox.output("gridctl -C good peers -o name") == "peer/n1")
      let checks = try await sandbox.run("gridctl context check --all -o tsv --no-headers")
      #expect(checks.status == 2, "\(checks)")
      #expect(checks.output.contains("good\tyes") && checks.output.contains("bad\tno"), "\(checks)")
      #expect(checks.output.contains("it is for no client"), "\(checks)")
      let advice = try await sandbox.run("gridctl context check bad")
      #expect(advice.status == 2 && advice.errors.hasPrefix("bad: issue one with: "), "\(advice)")
      let environment = "GRIDCTL_TLS_CA=ca/ca.pem GRIDCTL_TLS_CERT=ca/olga.pem GRIDCTL_TLS_KEY=ca/olga.key"
      #expect(try await sandbox.output("\(environment) gridctl -e \(address) spawn echo e -o name") == "actor/e")
      // With the authority alone the secret of the namespace is proved.
      #expect(try await sandbox.output("gridctl -e \(address) --tls-ca ca/ca.pem ask e x") == "x")
    }
  }
}
