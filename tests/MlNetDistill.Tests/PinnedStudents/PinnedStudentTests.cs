using System.Security.Cryptography;
using Microsoft.ML;
using MlNetDistill.Tests.Support;
using TorchSharp;

namespace MlNetDistill.Tests.PinnedStudents;

/// <summary>
/// Students stay what they are, bit for bit, whatever is rearranged in the code: a number that changes must be meant to. To pin new values, run these tests with
/// MLNETDISTILL_WRITE_PINNED=1, which writes them and fails, look at what changed in the file, and run again without.
/// </summary>
[NonParallelizable]
public sealed class PinnedStudentTests
{
    private const string WriteVariable = "MLNETDISTILL_WRITE_PINNED";
    private const double Tolerance = 1e-2;

    private int _threads;
    private string _machine = "";

    private static bool Writes => Environment.GetEnvironmentVariable(WriteVariable) == "1";

    private static IEnumerable<string> Names() => PinnedCase.All.Select(c => c.Name);

    [OneTimeSetUp]
    public void TakeOneThread()
    {
        _threads = torch.get_num_threads();
        // Two threads give students of pictures other last bits than one.
        torch.set_num_threads(1);
        _machine = MachineCanary.Hash();
    }

    [OneTimeTearDown]
    public void RestoreThreads() => torch.set_num_threads(_threads);

    [TestCaseSource(nameof(Names))]
    public void A_student_has_the_pinned_weights_and_scores(string name)
    {
        var found = Train(PinnedCase.All.Single(c => c.Name == name));
        if (Writes)
            Write(students => students[name] = found);
        var file = PinnedFile.Read();
        Assert.That(file.Students, Does.ContainKey(name), $"The case is not in the file yet; set {WriteVariable}=1 to write it.");
        var pinned = file.Students[name];
        if (file.Machine == _machine)
        {
            Assert.That(found.Scores, Is.EqualTo(pinned.Scores), "The scores changed visibly.");
            Assert.That(found.Sha256, Is.EqualTo(pinned.Sha256), "Weights or scores changed in their last bits.");
            return;
        }

        TestContext.Out.WriteLine($"This machine rounds unlike the one of the pinned values, so only two rows of scores are compared, within {Tolerance}.");
        Assert.That(found.Scores, Is.EqualTo(pinned.Scores).Within(Tolerance));
    }

    [Test]
    public void The_file_pins_each_case_and_nothing_else()
    {
        var names = PinnedCase.All.Select(c => c.Name).ToArray();
        if (Writes)
            Write(students => students.Keys.Except(names).ToList().ForEach(name => students.Remove(name)));
        Assert.That(names, Is.Unique);
        Assert.That(PinnedFile.Read().Students.Keys, Is.EquivalentTo(names));
    }

    private static PinnedStudent Train(PinnedCase named)
    {
        using var run = new PinnedRun();
        var view = (named.Rows ?? (r => r.Points))(run);
        var model = run.Fit(named.Options(run), view);
        var scores = model.Scores(view);
        return new PinnedStudent(HashOf(model, scores), [.. scores.Take(2).Select(row => row.Take(4).Select(score => Math.Round(score, 4)).ToArray())]);
    }

    private static string HashOf(DistillationTransformer model, float[][] scores)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var network = model.FindStudent().Model.ToNetwork();
        foreach (var (name, weights) in network.state_dict())
        {
            MachineCanary.Add(hash, name);
            using var inOrder = weights.contiguous();
            hash.AppendData(inOrder.bytes.ToArray());
        }

        foreach (var row in scores)
            MachineCanary.Add(hash, row);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void Write(Action<IDictionary<string, PinnedStudent>> change)
    {
        var file = PinnedFile.Read();
        if (file.Machine != _machine)
            file = new PinnedFile(_machine, new(StringComparer.Ordinal));
        change(file.Students);
        file.Write();
        Assert.Fail("Written; look at the difference and run again.");
    }
}
