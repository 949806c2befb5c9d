using Microsoft.ML;
using MlNetDistill.Cache;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Training;

namespace MlNetDistill.Benchmarks;

/// <summary>The library's training, through its public surface.</summary>
internal static class OurLoop
{
    public static readonly IReadOnlyList<string> Kinds = ["plain", "kd", "kd-live", .. Methods.Keys];

    private static Dictionary<string, Func<DistillationMethod>> Methods => new()
    {
        ["dist"] = () => DistillationMethod.Dist(),
        ["cckd"] = () => DistillationMethod.Cckd(),
        ["rco"] = () => DistillationMethod.Rco(schedule: RcoSchedule.OneStage),
        ["sskd"] = () => DistillationMethod.Sskd(),
        ["nkd"] = () => DistillationMethod.Nkd(),
        ["ttm"] = () => DistillationMethod.Ttm(),
        ["wttm"] = () => DistillationMethod.Wttm(),
        ["rld"] = () => DistillationMethod.Rld(),
        ["logit-matching"] = () => DistillationMethod.LogitMatching(),
        ["partial-kd"] = () => DistillationMethod.PartialKd(TeacherTargets.TopK(3)),
        ["graph-kd"] = () => DistillationMethod.GraphKd(),
        ["lipschitz"] = () => DistillationMethod.Lipschitz(),
        ["metadistil"] = () => DistillationMethod.MetaDistil(),
    };

    /// <summary>Whether a method reads stage features, which are not cached: the teacher is queried in every step.</summary>
    public static bool ReadsFeaturesOfTeacher(string kind) => kind is "sskd" or "lipschitz" or "metadistil";

    public static Speeds Measure(Workload workload, string kind, int batchSize, double warmUp, double seconds)
    {
        var context = new MLContext(1);
        var meter = new Progress(workload.Rows, warmUp, seconds);
        // What the teacher knows makes no difference to the time.
        var teacher = kind == "plain" ? null : Route.Train(workload.Teacher.ToSpec(workload.Shape), every: 1, epochs: 1);
        try
        {
            context.MulticlassClassification.Trainers.Distill(new DistillationOptions
            {
                Student = workload.Student.ToSpec(workload.Shape),
                Teacher = teacher,
                Method = kind switch
                {
                    "plain" => DistillationMethod.LabelsOnly(),
                    "kd" or "kd-live" => DistillationMethod.Kd(),
                    _ => Methods[kind](),
                },
                TeacherCache = new TeacherCacheOptions { Mode = kind == "kd-live" ? CacheMode.Off : CacheMode.UseOrCreate },
                LabelColumnName = "Class",
                MinimumTeacherAccuracy = 0,
                Optimizer = Optimizer.Sgd(0.01, 0.9, nesterov: true, 5e-4),
                Schedule = LearningRateSchedule.OneCycle(0.2),
                BatchSize = batchSize,
                Epochs = 100_000,
                Seed = 7,
                Progress = meter,
                CancellationToken = meter.Token,
            }).Fit(workload.CreateView(context));
        }
        catch (OperationCanceledException)
        {
            return meter.Result;
        }

        throw new InvalidOperationException($"The training of {kind} on {workload.Name} ended by itself before {seconds} seconds were measured.");
    }

    /// <summary>Measures the student's epochs, and cancels when enough time is measured.</summary>
    private sealed class Progress(int rows, double warmUp, double seconds) : IProgress<TrainingProgress>
    {
        private readonly CancellationTokenSource _source = new();
        private Speeds.Meter? _meter;

        public CancellationToken Token => _source.Token;

        public Speeds Result => _meter!.Result;

        public void Report(TrainingProgress value)
        {
            if (value.Stage == "teacher")
                return;
            _meter ??= new Speeds.Meter(rows, warmUp, seconds);
            if (_meter.EpochEnds())
                _source.Cancel();
        }
    }
}
