using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Teachers;

/// <summary>TorchScript files with right checksums that libtorch ends the process for, that never answer, or that take all memory.</summary>
public sealed class ScriptTrialTests
{
    private const string HookSwitch = "System.StartupHookProvider.IsSupported";
    private string _folder = "";

    private string File => Path.Combine(_folder, "model.pt");

    [SetUp]
    public void Begin() => _folder = Directory.CreateTempSubdirectory("trials").FullName;

    [TearDown]
    public void End() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void An_unknown_operator_is_an_error_and_not_the_end()
    {
        ToyScript.WriteCode(File, "torch.relu(", "torch.frobnicate(");
        Refused("crashed the separate process in which it was tested. libtorch reported: Unknown builtin op: aten::frobnicate. Could not find any similar ops");
    }

    [Test]
    public void An_operator_with_other_arguments_is_an_error_and_not_the_end()
    {
        ToyScript.WriteCode(File, "torch.relu(", "torch.relu(1, 2, ");
        Refused("crashed the separate process in which it was tested. libtorch reported: Arguments for call are not valid.");
    }

    [Test]
    public void A_fault_that_libtorch_reports_is_reported_as_without_a_trial()
    {
        ToyScript.WriteCode(File, "return", "retxrn");
        Refused("cannot be loaded by this libtorch: ");
    }

    [Test]
    public void A_script_that_never_ends_is_ended()
    {
        ToyScript.WriteCode(File, "    last = self.last\n", "    last = self.last\n    while True:\n      x = torch.add(x, x)\n");
        Refused("did not load and compute two rows within 4 s in a separate process.", TimeSpan.FromSeconds(4));
        using var cancelled = new CancellationTokenSource(TimeSpan.FromSeconds(0.5));
        Assert.That(() => Open(cancellation: cancelled.Token).Dispose(), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void A_script_that_takes_the_memory_is_ended()
    {
        ToyScript.WriteCode(
            File, "    last = self.last\n", "    last = self.last\n    for i in range(1000):\n      x = torch.add(x, torch.sum(torch.ones([40000, 20000])))\n");
        Refused("needed more than 2.1 GB of memory in a separate process to load and to compute two rows: far more than a file of this size should need.");
    }

    [Test]
    public void What_prints_answers_as_ever()
    {
        ToyScript.WriteCode(File, "    last = self.last\n", "    last = self.last\n    print(\"\")\n");
        using var scope = NewDisposeScope();
        using var model = Open();
        using var trusted = TorchScriptModel.Open(ToyScript.Path("mlp.pt"), new(), InputShape.Vector(4), false, new(), CPU, 64, _ => { }, isTrusted: true);
        var rows = arange(8).reshape(2, 4).to(float32).div(10);
        Assert.That(model.ComputeOutputs(rows, ModelOutputs.Logits).Logits.bytes.SequenceEqual(trusted.ComputeOutputs(rows, ModelOutputs.Logits).Logits.bytes), Is.True);
    }

    [Test]
    [NonParallelizable]
    public void Where_no_process_can_be_had_a_file_is_loaded_only_on_trust()
    {
        ToyScript.WriteCode(File, "training", "is_training");
        AppContext.SetSwitch(HookSwitch, false);
        try
        {
            Refused("must be tested in a separate process first, because a faulty file would crash this one, but no such process can be started: the application is built " +
                "without startup hooks, as trimmed applications are; set <StartupHookSupport>true</StartupHookSupport> in its project. If you trust the file, " +
                "pass trusted: true to Teacher.FromTorchScript");
            TorchScriptModel.Open(ToyScript.Path("mlp.pt"), new(), InputShape.Vector(4), false, new(), CPU, 64, _ => { }, isTrusted: true).Dispose();
        }
        finally
        {
            AppContext.SetSwitch(HookSwitch, true);
        }
    }

    private TorchScriptModel Open(TimeSpan? limit = null, CancellationToken cancellation = default) =>
        TorchScriptModel.Open(File, new(), InputShape.Vector(4), false, new(), CPU, 64, _ => { }, trialLimit: limit, cancellation: cancellation);

    private void Refused(string message, TimeSpan? limit = null) => Assert.That(
        () => Open(limit).Dispose(), Throws.InvalidOperationException.With.Message.StartsWith($"The TorchScript model '{File}' {message}"));
}
