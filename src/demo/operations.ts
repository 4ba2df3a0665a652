import type { CompletenessProof, DayOutcome, JobStatus } from '../domain.ts'

/** The operations of the demo, each with the shape of its answer. */

export interface SubmittedJob {
  id: string
  name: string
}

export const countyQuery = /* GraphQL */ `
  query County($state: String!, $name: String!) {
    county(state: $state, name: $name) { id }
  }
`
export interface CountyAnswer {
  county: { id: string } | null
}

export const saveScrapeUrlMutation = /* GraphQL */ `
  mutation SaveScrapeUrl($input: SaveScrapeUrlInput!) {
    saveScrapeUrl(input: $input) {
      ... on SaveScrapeUrlSuccess { scrapeUrl { id } }
      ... on Error { message }
    }
  }
`
export interface SaveScrapeUrlAnswer {
  saveScrapeUrl: { scrapeUrl?: { id: string }; message?: string }
}

export const submitJobMutation = /* GraphQL */ `
  mutation SubmitJob($input: SubmitJobInput!) {
    submitJob(input: $input) {
      ... on SubmitJobSuccess { job { id name } }
      ... on Error { message }
    }
  }
`
export interface SubmitJobAnswer {
  submitJob: { job?: SubmittedJob; message?: string }
}

export const jobStatusSubscription = /* GraphQL */ `
  subscription JobStatus($jobId: ID!) {
    jobStatus(jobId: $jobId) {
      sequence status nextAttemptAt errorMessage
      progress { rowsProcessed datesTotal datesDone currentDate etaSeconds }
    }
  }
`
export interface JobStatusAnswer {
  jobStatus: {
    sequence: number
    status: JobStatus
    nextAttemptAt: string | null
    errorMessage: string | null
    progress: {
      rowsProcessed: number
      datesTotal: number
      datesDone: number
      currentDate: string | null
      etaSeconds: number | null
    }
  }
}

export const jobQuery = /* GraphQL */ `
  query Job($id: ID!) {
    job(id: $id) {
      name status attempt
      result { rowsCollected duration }
      days { date outcome proof expected received created updated unchanged rejected }
      prospects(first: 5) {
        totalCount
        nodes { caseNumber lot auctionDate auctionStatus auctionType propertyAddress city openingBid finalJudgmentAmount }
      }
    }
  }
`
export interface JobAnswer {
  job: {
    name: string
    status: JobStatus
    attempt: number
    result: { rowsCollected: number; duration: string } | null
    days: {
      date: string | null
      outcome: DayOutcome
      proof: CompletenessProof | null
      expected: number | null
      received: number
      created: number
      updated: number
      unchanged: number
      rejected: number
    }[]
    prospects: { totalCount: number; nodes: DemoProspect[] }
  } | null
}

export interface DemoProspect {
  caseNumber: string | null
  lot: number
  auctionDate: string | null
  auctionStatus: string
  auctionType: string
  propertyAddress: string | null
  city: string | null
  openingBid: string | null
  finalJudgmentAmount: string | null
}
