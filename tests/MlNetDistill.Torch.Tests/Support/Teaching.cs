using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using MlNetDistill.Training;

namespace MlNetDistill.Tests;

/// <summary>A teacher that can be copied, with the network that it answers with.</summary>
internal sealed class Teaching : IDisposable
{
    private readonly NetworkTeacher _teacher;

    public Teaching(NetworkSpec spec, IRowSource set, Action<Network>? train = null, int seed = 9)
    {
        Network = Runs.Student(spec, set, seed);
        train?.Invoke(Network);
        _teacher = new NetworkTeacher(Network, TeacherCaching.InMemory(64)) { BuildSame = () => Runs.Student(spec, set, seed + 1) };
    }

    public Network Network { get; }

    public StageTeacher Teacher => _teacher;

    public Anchor Anchor => new("teacher", 1, _teacher);

    /// <summary>Trains a student in one phase.</summary>
    public static (List<TrainingProgress> Reports, TrainingLoop Loop) Train(
        Network student, IRowSource set, TrainingPhase phase, int seed = 1, DataSplit? split = null, LoopSettings? settings = null)
    {
        using var all = DataSplit.All(set);
        settings ??= new LoopSettings();
        List<TrainingProgress> reports = [];
        var loop = new TrainingLoop(student, new MulticlassTask(student.LogitCount), set, split ?? all, new Seeds(seed), "student", settings with
        {
            Report = progress =>
            {
                reports.Add(progress);
                settings.Report(progress);
            },
        });
        loop.Run([phase]);
        return (reports, loop);
    }

    public void Dispose()
    {
        _teacher.Dispose();
        Network.Dispose();
    }
}
