using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CompareMethods.Data;
using CompareMethods.Training;

namespace CompareMethods.Report;

/// <summary>All settings, tried candidates and results as JSON: shares in [0, 1] for single runs, percent for means.</summary>
internal static class ResultsFile
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // α and ± stay readable; this file is not embedded in HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // The deviation of a single seed is not a number.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write(string path, Workload work, Settings settings, int threads, Findings findings) =>
        File.WriteAllText(path, JsonSerializer.Serialize(
            new
            {
                Data = new { work.Title, work.TrainRows, work.TestRows },
                Settings = new
                {
                    settings.Seeds,
                    work.Epochs,
                    work.TeacherEpochs,
                    work.BatchSize,
                    Optimizer = "AdamW, one cycle",
                    ModelTrainer.LearningRate,
                    ModelTrainer.HeldOut,
                    Threads = threads,
                    settings.Quick,
                },
                Teacher = new { work.Teacher.Name, Parameters = findings.TeacherParameters, Accuracy = findings.TeacherAccuracy },
                Student = new { work.Student.Name, Parameters = findings.StudentParameters },
                Rules = Conclusions.Rules(work, findings.Outcomes),
                Search = findings.Searches.Select(search => new
                {
                    search.Method,
                    Candidates = search.Tried.Select(t => new { t.Candidate.Setting, HeldOutAccuracy = t.Accuracy, Chosen = t.Candidate == search.Chosen }),
                }),
                Methods = findings.Outcomes.Select(outcome => new
                {
                    outcome.Setup.Name,
                    outcome.Setup.Candidate.Setting,
                    outcome.Setup.Epochs,
                    outcome.Setup.Candidate.Anchors,
                    outcome.Setup.EpochsPerAnchor,
                    AccuracyPercent = outcome.Accuracy,
                    AgreementPercent = outcome.Agreement,
                    DivergenceNats = outcome.Divergence,
                    SecondsARun = outcome.Seconds,
                    MicrosecondsARow = 1e6 * outcome.SecondsARow,
                    // The speed of every epoch would be most of the file.
                    Runs = outcome.Runs.Select(run => new { run.Seed, run.Accuracy, run.Agreement, run.Divergence, run.Seconds, run.Notes }),
                }),
                StepCostRelativeToKd = Conclusions.StepCosts(findings.Outcomes).ToDictionary(step => step.Method, step => step.Cost),
                Verdicts = Conclusions.Verdicts(findings.Outcomes),
            },
            Options));
}
