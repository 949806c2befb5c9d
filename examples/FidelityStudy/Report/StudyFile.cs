using System.Text.Json;

namespace FidelityStudy.Report;

/// <summary>The figures of every run, as JSON.</summary>
internal static class StudyFile
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static void Write(string path, string title, Training.Plan plan, IReadOnlyList<TrialResult> results) =>
        File.WriteAllText(path, JsonSerializer.Serialize(Contents(title, plan, results), Options));

    private static object Contents(string title, Training.Plan plan, IReadOnlyList<TrialResult> results) =>
        new
        {
            Title = title,
            Teacher = plan.Teacher.Name,
            Student = plan.Student.Name,
            plan.TeacherEpochs,
            plan.Epochs,
            plan.BatchSize,
            Trials = results.Select(result => new
            {
                result.Trial.Question,
                result.Trial.Name,
                result.Trial.Against,
                // The same for every seed.
                result.Findings[0].Settings,
                Runs = result.Findings.Select(finding => new
                {
                    finding.Seed,
                    TrainAgreement = finding.Train.Agreement.Value,
                    TestAgreement = finding.Test.Agreement.Value,
                    TrainAccuracy = finding.Train.Student!.Accuracy.Value,
                    TestAccuracy = finding.Test.Student!.Accuracy.Value,
                    TeacherAccuracy = finding.Test.Teacher!.Accuracy.Value,
                    TrainDivergence = finding.Train.Divergence.Value,
                    TestDivergence = finding.Test.Divergence.Value,
                    CalibrationError = finding.Test.Student!.CalibrationError.Value,
                    AgreementWhereTeacherIsWrong = finding.Test.AgreementWhereTeacherIsWrong?.Value,
                    finding.Diagnosis,
                }),
            }),
        };
}
