using Microsoft.ML;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Commands;

/// <summary>Examples that get Ctrl+C or SIGTERM.</summary>
[Category("NoCulture"), Platform("Unix")]
public sealed class InterruptionTests
{
    private const string Asked = "Stopping after the present step. Once more ends the program at once.";

    [TestCase("TERM", 143)]
    [TestCase("INT", 130)]
    public void The_first_signal_ends_a_training_within_a_step_and_says_how_to_go_on(string signal, int code)
    {
        using var program = new ToyProgram("CustomLossPath");
        program.WaitForLine(" 1/15");
        program.Signal(signal);
        Assert.That(program.WaitForExit(), Is.EqualTo(code), program.Output);
        Assert.That(program.Output, Does.Contain(Asked).And.Contain("Stopped. Nothing of it is kept: start it again.").And.Not.Contain("Unhandled").And.Not.Contain("Student, JS"));
    }

    [Test]
    public void A_search_that_is_stopped_goes_on_where_it_was()
    {
        using var folder = new ToyFolder();
        string[] arguments = ["--quick", "--folder", folder.Path];
        using (var stopped = new ToyProgram("SearchPath", arguments))
        {
            stopped.WaitFor(() => folder.Entries.Length > 2);
            stopped.Signal("TERM");
            Assert.That(stopped.WaitForExit(), Is.EqualTo(143), stopped.Output);
            Assert.That(stopped.Output, Does.Contain("Stopped. Finished trainings are kept: the same command goes on from there."));
        }

        using var again = new ToyProgram("SearchPath", arguments);
        Assert.That(again.WaitForExit(), Is.Zero, again.Output);
        Assert.That(again.Files, Does.Contain("student.zip"));
    }

    [Test]
    public void A_training_that_is_stopped_goes_on_from_its_checkpoints_and_ends_with_the_same_student()
    {
        using var folder = new ToyFolder();
        var checkpoints = folder.File("checkpoints");
        string[] training = ["--data", RealRows.PathOf("letter-16001-16500.csv"), "--label", "0", "--quick", "--epochs", "150", "--minimum-retention", "1"];
        string[] arguments = [.. training, "--checkpoints", checkpoints];
        foreach (var network in new[] { "Teacher", "Student distilled" })
        {
            using var stopped = new ToyProgram("QuickstartPath", arguments);
            stopped.WaitFor(() => EpochsOf(stopped, network).Length > 0);
            stopped.Signal("TERM");
            Assert.That(stopped.WaitForExit(), Is.EqualTo(143), stopped.Output);
            Assert.That(stopped.Output, Does.Contain($"Stopped. What was trained is kept in '{checkpoints}': the same command goes on from there.").And.Not.Contain("Wrote"));
            Assert.That(EpochsOf(stopped, network), Has.None.Contains(" 150/150 "), "stopped in the middle");
        }

        using var again = new ToyProgram("QuickstartPath", arguments);
        Assert.That(again.WaitForExit(), Is.Zero, again.Output);
        Assert.That(again.Output, Does.Contain($"Goes on from the checkpoints in '{checkpoints}' (Student alone, Student distilled, Teacher)."));
        Assert.That(EpochsOf(again, "Teacher").Concat(EpochsOf(again, "Student alone")), Is.Empty, "they were trained before");
        Assert.That(EpochsOf(again, "Student distilled"), Has.None.Contains(" 1/150 ").And.Some.Contains(" 150/150 "));
        using var uninterrupted = new ToyProgram("QuickstartPath", training);
        Assert.That(uninterrupted.WaitForExit(), Is.Zero, uninterrupted.Output);
        Assert.That(ScoresOf(again), Is.EqualTo(ScoresOf(uninterrupted)));
    }

    [Test]
    public void The_second_signal_ends_the_program_at_once()
    {
        using var program = new ToyProgram("TorchProbePath", "interrupt");
        program.WaitForLine("busy");
        program.Signal("TERM");
        program.WaitForLine("cancelled");
        Assert.That(program.Output, Does.Contain(Asked));
        program.Signal("TERM");
        Assert.That(program.WaitForExit(), Is.EqualTo(143));
    }

    /// <summary>The lines of a network's epochs.</summary>
    private static string[] EpochsOf(ToyProgram quickstart, string network) =>
        [.. quickstart.Output.Split('\n').Where(line => line.StartsWith($"{network} ", StringComparison.Ordinal) && line.Contains("/150 ", StringComparison.Ordinal))];

    private static string[] ScoresOf(ToyProgram quickstart)
    {
        var context = new MLContext();
        return ModelScores.ReadLines(context.Loaded(quickstart.File("student.zip")).Transform(context.Letters()));
    }
}
