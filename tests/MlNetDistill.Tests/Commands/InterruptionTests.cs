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
}
