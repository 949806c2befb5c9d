using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Kill;

/// <summary>The trainings that are killed: one of each method, and fits whose teacher, route or cache takes the most of their time.</summary>
internal static class Trainings
{
    private const string Student = "student.bytes";

    // With two taps, and two anchors.
    private static readonly Teacher OnTheSpot = Route.Train(NetworkSpec.Mlp(16, 12), every: 2, epochs: 4);

    private static readonly Dictionary<string, Func<MLContext, IDataView, string, DistillationOptions>> All = new(EveryMethod.All.Select(
        method => KeyValuePair.Create<string, Func<MLContext, IDataView, string, DistillationOptions>>(method.Name, (_, _, _) => Of(method.Method))))
    {
        ["labels"] = (_, _, _) => Of(DistillationMethod.LabelsOnly()) with { Teacher = null, Epochs = 8 },
        ["early stopping"] = (_, _, _) => Of(DistillationMethod.Kd()) with { ValidationFraction = 0.2, EarlyStopping = new EarlyStopping(Patience: 4), CompareAlone = true },
        ["long teacher"] = (_, _, _) => Of(DistillationMethod.Kd()) with { Teacher = Teacher.Train(NetworkSpec.Mlp(64, 32), epochs: 10), Epochs = 2 },
        ["long route"] = (_, _, _) => Of(DistillationMethod.Rco(anchors: AnchorSelection.EqualInterval(4))) with { Teacher = Route.Train(NetworkSpec.Mlp(64, 32), every: 2, epochs: 8), Epochs = 1 },
        ["teacher cache"] = (context, view, folder) => Of(DistillationMethod.Kd()) with
        {
            Teacher = Teacher.FromTransformer(context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class").Fit(view), cacheKey: "maximum entropy"),
            TeacherCache = new TeacherCacheOptions { Folder = folder, CacheKey = "toy rows" },
        },
    };

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names => [.. All.Keys];

    /// <summary>The student's file in a folder.</summary>
    public static string StudentIn(string folder) => Path.Combine(folder, Student);

    /// <summary>Trains, and saves the student.</summary>
    public static void Train(string name, string folder)
    {
        TorchSharp.torch.set_num_threads(1);
        var context = Rows.Context();
        var view = context.Keyed(Rows.Points(3000));
        var options = All[name](context, view, Path.Combine(folder, "answers")) with
        {
            CheckpointDirectory = Path.Combine(folder, "checkpoints"),
            Checkpoints = new CheckpointOptions { Interval = TimeSpan.FromMilliseconds(50), EveryEpochs = 1 },
        };
        var student = context.Fit(options, view);
        using var network = student.Model.ToNetwork();
        // Its weights and scores: a zip has the time at which it was written.
        using var file = File.Create(StudentIn(folder) + ".new");
        foreach (var (weight, values) in network.state_dict())
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(weight));
            file.Write(values.contiguous().bytes);
        }

        foreach (var row in student.Scores(view))
            file.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(row));
        file.Close();
        File.Move(StudentIn(folder) + ".new", StudentIn(folder), overwrite: true);
    }

    private static DistillationOptions Of(DistillationMethod method) => Rows.Quick(OnTheSpot) with
    {
        Student = EveryMethod.StudentFor(method, NetworkSpec.Mlp(16, 8), 12),
        Method = method,
        Epochs = 4,
    };
}
